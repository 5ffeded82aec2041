import { cp, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { create } from '@bufbuild/protobuf';
import { expect, it } from 'vitest';
import { writeSafetensors } from '../model/safetensors/write-safetensors.ts';
import { runConfigSchema } from '../process/config/schema.ts';
import { createLog } from '../process/log/log.ts';
import { askHealth, watchHealth } from '../test/support/ask-health.ts';
import { freePort } from '../test/support/free-port.ts';
import { temporaryDirectory } from '../test/support/temporary-directory.ts';
import { CorpusManifestSchema } from '../wire/generated/fusemesh/v1/corpus_pb.ts';
import { TrainerService, TrainerState } from '../wire/generated/fusemesh/v1/trainer_pb.ts';
import { createClient } from '../wire/grpc/client.ts';
import { connectNats } from '../wire/nats/connection.ts';
import { startLocalNatsServer } from '../wire/nats/local-server.ts';
import { openRunStreams } from '../wire/nats/run-streams.ts';
import { initialState } from './checkpoint/training-state.ts';
import { writeCheckpoint } from './checkpoint/write-checkpoint.ts';
import { runTrainer } from './main.ts';

const zoo = fileURLToPath(new URL('../examples/zoo/', import.meta.url));

it('a trainer is ready while its target is loaded, NATS is there and it is not being stopped', async () => {
  const storeDirectory = await temporaryDirectory();
  let nats = await startLocalNatsServer({ storeDirectory });
  const { url } = nats;
  const metricsPort = await freePort();
  const config = runConfigSchema.parse({
    run: 'readiness',
    nats: { url },
    contextLength: 64,
    corpus: [{ domain: 'speeches', path: 'unused.txt' }],
    teachers: [{ name: 'orator', address: '127.0.0.1:1' }],
    target: { model: `${zoo}target` },
    trainer: { output: await temporaryDirectory(), address: '127.0.0.1:0', metricsPort },
  });
  const stop = new AbortController();
  const log = createLog('trainer', { level: 'silent' });
  let trained: Promise<void> = Promise.resolve();
  const address = await new Promise<string>((resolve, reject) => {
    trained = runTrainer(config, { signal: stop.signal, log, onReady: ({ grpc }) => resolve(grpc) });
    trained.catch(reject);
  });
  const truth = async () => {
    const response = await fetch(`http://127.0.0.1:${metricsPort}/readyz`);
    const { problems } = (await response.json()) as { problems: Record<string, string> };
    const health = await Promise.all([askHealth(address), askHealth(address, TrainerService.typeName)]);
    return { status: response.status, problems: Object.keys(problems), health };
  };
  const serving = { status: 200, problems: [], health: ['SERVING', 'SERVING'] };
  const notServing = { status: 503, health: ['NOT_SERVING', 'NOT_SERVING'] };
  const patient = { timeout: 30_000 };

  expect(await truth()).toMatchObject({ ...notServing, problems: expect.arrayContaining(['model']) });
  await expect.poll(truth, patient).toEqual(serving);
  // It knows its corpus and waits for its teacher, which never comes.
  const feeder = await connectNats(url, 'feeder');
  const streams = openRunStreams(feeder, config.run);
  await streams.ensure(config.nats);
  await streams.publishManifest(
    create(CorpusManifestSchema, { documents: 64n, sha256: new Uint8Array(32), contextLength: 64 }),
  );
  await feeder.close();
  const client = createClient(TrainerService, address);
  await expect.poll(async () => (await client.getStatus({})).documentsTotal, patient).toBe(64n);
  client.close();
  process.kill(nats.pid, 'SIGKILL');
  await expect.poll(truth, patient).toEqual({ ...notServing, problems: ['nats'] });
  nats = await startLocalNatsServer({ storeDirectory, port: Number(new URL(url).port) });
  await expect.poll(truth, patient).toEqual(serving);

  const heard: string[] = [];
  const ended = watchHealth(address, (status) => heard.push(status));
  await expect.poll(() => heard, patient).toEqual(['SERVING']);
  stop.abort();
  await expect.poll(() => heard, patient).toEqual(['SERVING', 'NOT_SERVING']);
  await trained;
  await ended;
  await nats.stop();
});

it('a second trainer of a run, or in its directory, is refused', async () => {
  const nats = await startLocalNatsServer({ storeDirectory: await temporaryDirectory() });
  const log = createLog('trainer', { level: 'silent' });
  const stop = new AbortController();
  const output = await temporaryDirectory();
  const config = (run: string, output: string) =>
    runConfigSchema.parse({
      run,
      nats: { url: nats.url },
      contextLength: 64,
      corpus: [{ domain: 'speeches', path: 'unused.txt' }],
      teachers: [{ name: 'orator', address: '127.0.0.1:1' }],
      target: { model: `${zoo}target` },
      trainer: { output, address: '127.0.0.1:0', metricsPort: 0 },
    });
  let trained: Promise<void> = Promise.resolve();
  const address = await new Promise<string>((resolve, reject) => {
    const onReady = ({ grpc }: { grpc: string }) => resolve(grpc);
    trained = runTrainer(config('one', output), { signal: stop.signal, log, onReady });
    trained.catch(reject);
  });
  await expect.poll(() => askHealth(address), { timeout: 30_000 }).toBe('SERVING');
  const signal = AbortSignal.timeout(20_000);
  await expect(runTrainer(config('one', await temporaryDirectory()), { signal, log })).rejects.toMatchObject({
    code: 'already_exists',
    message: expect.stringContaining('trains run one'),
  });
  await expect(runTrainer(config('two', output), { signal, log })).rejects.toMatchObject({
    code: 'already_exists',
    message: expect.stringContaining(`writes to ${output} already`),
  });
  stop.abort();
  await trained;
  await nats.stop();
});

it('a trainer that is to stay finds its run finished, asks nobody, and serves until it is stopped', async () => {
  const output = await temporaryDirectory();
  const model = join(await temporaryDirectory(), 'tiny');
  await mkdir(model);
  await writeFile(join(model, 'config.json'), '{"model_type": "llama"}');
  await writeFile(join(model, 'tokenizer.json'), '{}');
  const head = { name: 'head', shape: [2] };
  await writeSafetensors(join(model, 'model.safetensors'), [
    { ...head, dtype: 'BF16', data: new Uint8Array(4) },
  ]);
  const state = { ...initialState('done', 'ab'), step: 7, documents: 56 };
  const [weights, firstMoment, secondMoment] = Array.from({ length: 3 }, () => new Float32Array(2));
  const snapshot = { step: 7, tensors: [{ ...head, weights, firstMoment, secondMoment }] };
  await writeCheckpoint({ directory: join(output, 'checkpoints'), model, keep: 1 }, state, snapshot);
  await cp(model, join(output, 'model'), { recursive: true });
  const config = (steps?: number) =>
    runConfigSchema.parse({
      run: 'done',
      nats: { url: 'nats://127.0.0.1:1' },
      contextLength: 64,
      corpus: [{ domain: 'speeches', path: 'unused.txt' }],
      teachers: [{ name: 'orator', address: '127.0.0.1:1' }],
      target: { model: `${zoo}target` },
      trainer: { output, address: '127.0.0.1:0', metricsPort: 0, ...(steps && { steps }) },
    });
  const log = createLog('trainer', { level: 'silent' });
  const stop = new AbortController();
  let stayed: Promise<void> = Promise.resolve();
  const address = await new Promise<string>((resolve, reject) => {
    const onReady = ({ grpc }: { grpc: string }) => resolve(grpc);
    stayed = runTrainer(config(), { signal: stop.signal, log, onReady, stay: true });
    stayed.catch(reject);
  });
  await expect.poll(() => askHealth(address), { timeout: 10_000 }).toBe('SERVING');
  const client = createClient(TrainerService, address);
  expect(await client.getStatus({})).toMatchObject({ state: TrainerState.FINISHED, checkpointStep: 7n });
  client.close();
  stop.abort();
  await stayed;

  // Where more steps are asked for, it wants to train.
  const more = runTrainer(config(8), { signal: AbortSignal.timeout(20_000), log, stay: true });
  await expect(more).rejects.toMatchObject({ code: 'unavailable' });
});
