import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { runCommand, startCommand } from './command.ts';
import { awaitCheckpoint, makeSmallCorpus, type SmallCorpus, writeRunFile } from './small-run.ts';

let corpus: SmallCorpus;
beforeAll(async () => {
  corpus = await makeSmallCorpus({ bytesOfDomain: 8000 });
});
afterAll(() => corpus.remove());

const digest = async (directory: string) =>
  createHash('sha256')
    .update(await readFile(join(directory, 'model.safetensors')))
    .digest('hex');

test('a run trains adapters, goes on with them after a stop, and merges them into the fused model', {
  timeout: 120_000,
}, async () => {
  const { path, output } = await writeRunFile(corpus, { run: `end-to-end-lora-${process.pid}` });
  const parameters = ['up', path, '--json'];
  // All sources together, what lies outside of their candidates left to the target.
  const mixture = ['fusion.combine=avgCE', 'fusion.truncated=tail'];
  const few = ['trainer.steps=12', 'trainer.learningRate=4e-3', 'trainer.lambda=0.3'];
  for (const setting of [...mixture, 'target.lora.rank=4', ...few]) parameters.push('--set', setting);

  const first = startCommand(parameters);
  await awaitCheckpoint(output, 2);
  first.process.kill('SIGINT');
  await first.finished;
  const { code, stdout, stderr } = await runCommand(parameters);
  expect(stderr).not.toContain('fusemesh:');
  expect(code).toBe(0);
  const { domains } = JSON.parse(stdout) as { domains: { before: number; after: number }[] };
  const sum = (of: 'before' | 'after') => domains.reduce((total, domain) => total + domain[of], 0);
  expect(sum('after')).toBeLessThan(sum('before'));

  const adapterFiles = ['adapter_config.json', 'adapter_model.safetensors'];
  expect((await readdir(join(output, 'adapter'))).sort()).toEqual(adapterFiles);
  const checkpoint = join(output, 'checkpoints', 'step-000012');
  expect(await readdir(checkpoint)).toEqual(expect.arrayContaining(adapterFiles));

  const merged = join(corpus.directory, 'merged');
  expect(await runCommand(['merge', checkpoint, merged])).toMatchObject({ code: 0, stderr: '' });
  expect(await digest(merged)).toBe(await digest(join(output, 'model')));
  const generated = await runCommand(['generate', merged, 'The', '--max-tokens', '5']);
  expect(generated).toMatchObject({ code: 0, stderr: '' });
  expect(generated.stdout.length).toBeGreaterThan(5);
});
