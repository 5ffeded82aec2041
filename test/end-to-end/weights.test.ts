import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { digestFile } from '../../model/checkpoints/file-digest.ts';
import { openRunStreams } from '../../wire/nats/run-streams.ts';
import { openWeights } from '../../wire/nats/weights.ts';
import { descriptionOf } from '../../wire/nats/weights-description.ts';
import { freePort } from '../support/free-port.ts';
import { natsOfTests } from '../support/nats-of-tests.ts';
import { MeshOfProcesses } from './mesh-of-processes.ts';
import { makeSmallCorpus, type SmallCorpus, smallTrainer, writeRunFile, zoo } from './small-run.ts';

const nats = natsOfTests();
const signal = new AbortController().signal;
let corpus: SmallCorpus;
let mesh: MeshOfProcesses;
let orator: object;
beforeAll(async () => {
  corpus = await makeSmallCorpus({ bytesOfDomain: 4000 });
  mesh = new MeshOfProcesses(nats.url);
  orator = { name: 'orator', address: `127.0.0.1:${await freePort()}`, model: join(zoo, 'orator') };
  const { path } = await writeRunFile(corpus, { run: 'teacher', changes: { teachers: [orator] } });
  mesh.start('teacher', path, 'orator');
});
afterAll(async () => {
  await mesh.stop();
  await corpus.remove();
});

/** Trains a few steps, and says what is on disk and in the bucket then. */
async function train(name: string, target: object) {
  const run = `weights-${name}-${process.pid}`;
  const { path, output } = await writeRunFile(corpus, {
    run,
    changes: {
      teachers: [orator],
      target: { model: join(zoo, 'target'), ...target },
      trainer: { ...smallTrainer, output: run, steps: 5, weightsEvery: 2 },
    },
  });
  mesh.start('feed', path);
  const { code, stderr } = await mesh.start('trainer', path).finished;
  expect(code, stderr).toBe(0);
  const weights = await openWeights(nats.connection, run).newest(signal);
  await openRunStreams(nats.connection, run).remove();
  const digest = async (...names: string[]) => (await digestFile(join(output, ...names))).sha256;
  return { weights, digest };
}

test('a trainer publishes the weights of its last step, and trains to the same bits', {
  timeout: 180_000,
}, async () => {
  const alone = await train('alone', {});
  expect(alone.weights).toBeUndefined();
  const service = { address: `127.0.0.1:${await freePort()}` };
  const published = await train('published', { service });
  expect(published.weights?.step).toBe(5);
  expect(published.weights?.sha256).toBe(
    await published.digest('checkpoints', 'step-000005', 'model.safetensors'),
  );
  expect(await published.digest('model', 'model.safetensors')).toBe(
    await alone.digest('model', 'model.safetensors'),
  );

  const adapters = await train('lora', { service, lora: { rank: 2, alpha: 4 } });
  expect(adapters.weights?.sha256).toBe(
    await adapters.digest('checkpoints', 'step-000005', 'adapter_model.safetensors'),
  );
  expect(descriptionOf(adapters.weights!).adapter).toEqual({
    rank: 2,
    alpha: 4,
    targetModules: 'all-linear',
  });
});
