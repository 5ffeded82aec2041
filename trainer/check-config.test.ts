import { describe, expect, it } from 'vitest';
import { type RunConfig, runConfigSchema } from '../process/config/schema.ts';
import { checkTrainerConfig } from './check-config.ts';

function config(change: (draft: RunConfig) => void = () => {}): RunConfig {
  const draft = runConfigSchema.parse({
    run: 'demo',
    contextLength: 128,
    corpus: [{ domain: 'fiction', path: 'fiction.txt' }],
    teachers: [{ name: 'fiction', address: '127.0.0.1:50051' }],
    target: { model: 'target', source: { address: '127.0.0.1:50052' } },
    trainer: { output: 'output' },
  });
  change(draft);
  return draft;
}

describe('checkTrainerConfig', () => {
  it('takes the defaults', () => {
    expect(() => checkTrainerConfig(config())).not.toThrow();
  });

  it('refuses checkpoints so rare that the streams fill up, and names the keys', () => {
    const rare = config(({ trainer }) => {
      trainer.checkpointEvery = 200;
    });
    expect(() => checkTrainerConfig(rare)).toThrow(
      /nats.maxDocuments is 1024.*trainer.checkpointEvery × trainer.batchDocuments/,
    );
  });

  it('refuses less room for distributions than for documents', () => {
    const narrow = config(({ nats }) => {
      nats.maxDistributions = 1000;
    });
    expect(() => checkTrainerConfig(narrow)).toThrow(
      /nats.maxDistributions is 1000, less than nats.maxDocuments 1024/,
    );
  });

  it('refuses to wait for more sources than there are', () => {
    const join = (atLeast: number) =>
      config(({ trainer }) => {
        trainer.join = { atLeast, within: '30s' };
      });
    expect(() => checkTrainerConfig(join(2))).not.toThrow();
    expect(() => checkTrainerConfig(join(3))).toThrow(
      /trainer.join.atLeast is 3, but the run has 2 sources \(fiction, target\)/,
    );
  });

  it('refuses two sources of one name', () => {
    const twice = config(({ target }) => {
      target.source!.name = 'fiction';
    });
    expect(() => checkTrainerConfig(twice)).toThrow(/two sources are named fiction/);
  });
});
