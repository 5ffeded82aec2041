import { readFileSync } from 'node:fs';
import { cp, mkdir, readdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { digestFile } from '../../../model/checkpoints/file-digest.ts';
import { writeModel } from '../../../model/export/write-model.ts';
import { readArchitecture } from '../../../model/families/read-architecture.ts';
import { adapterShapes } from '../../../model/lora/adapters.ts';
import { mergedWeights } from '../../../model/lora/merged-weights.ts';
import { targetLayers } from '../../../model/lora/target-layers.ts';
import { writeAdapterFiles } from '../../../model/lora/write-adapter.ts';
import { modelFingerprint } from '../../../model/model-fingerprint.ts';
import { safetensorsParts, writeSafetensors } from '../../../model/safetensors/write-safetensors.ts';
import { goldenModel } from '../../../test/support/golden.ts';
import { natsOfTests } from '../../../test/support/nats-of-tests.ts';
import { temporaryDirectory } from '../../../test/support/temporary-directory.ts';
import { openRunStreams } from '../../../wire/nats/run-streams.ts';
import { openWeights } from '../../../wire/nats/weights.ts';
import { describeWeights } from '../../../wire/nats/weights-description.ts';
import { checkpointWeights } from './checkpoint-weights.ts';
import { publishedWeights } from './published-weights.ts';
import { serveNewestWeights } from './serve-newest-weights.ts';
import type { WeightsSource } from './weights-source.ts';

const nats = natsOfTests();
const model = goldenModel('llama-grouped-tied');
const lora = { rank: 2, alpha: 6, targetModules: 'all-linear' };
const options = { patience: 30, replicas: 1 };

/** Some values for every tensor, other ones for every step. */
const valuesOf = (shapes: ReadonlyMap<string, readonly number[]>, step: number) =>
  [...shapes].map(([name, shape], t) => {
    const weights = Float32Array.from(
      { length: shape.reduce((product, size) => product * size, 1) },
      (_, i) => Math.sin(step + 7 * t + i) / 8,
    );
    return { name, shape, weights };
  });
const toWrite = (tensors: ReturnType<typeof valuesOf>) =>
  tensors.map(({ name, shape, weights }) => ({
    name,
    dtype: 'F32' as const,
    shape,
    data: new Uint8Array(weights.buffer),
  }));
const byName = (tensors: ReturnType<typeof valuesOf>) =>
  new Map(tensors.map(({ name, weights }) => [name, weights]));
const weightsAt = async (step: number) => valuesOf((await readArchitecture(model)).weights, step);
const adaptersAt = async (step: number) =>
  valuesOf(adapterShapes(targetLayers(await readArchitecture(model), lora.targetModules), lora.rank), step);

/** Serves what a source offers: keeps the bytes of each model that was to be served, and in which order. */
async function serving(source: WeightsSource) {
  const abort = new AbortController();
  const served: { step: number; directory: string; bytes: Buffer }[] = [];
  const warnings: string[] = [];
  const scratch = await temporaryDirectory();
  const ended = serveNewestWeights({
    model,
    source,
    scratch,
    onWeights: async (directory, step) => {
      served.push({ step, directory, bytes: readFileSync(join(directory, 'model.safetensors')) });
    },
    signal: abort.signal,
    log: { debug: () => {}, warn: (_: object, line?: string) => void warnings.push(line!) },
  });
  onTestFinished(async () => {
    abort.abort();
    await ended.catch(() => {});
    expect(await readdir(scratch)).toEqual([]);
  });
  const steps = () => served.map(({ step }) => step);
  const reaches = (step: number) => expect.poll(() => steps().at(-1), { timeout: 20_000 }).toBe(step);
  return { served, warnings, steps, reaches, scratch, ended };
}

/** The bytes that the trainer would write if it ended with these weights. */
async function writtenModel(weights: ReadonlyMap<string, Float32Array>): Promise<Buffer> {
  const directory = join(await temporaryDirectory(), 'model');
  await writeModel(directory, model, weights);
  return readFile(join(directory, 'model.safetensors'));
}

function bucketOf(name: string) {
  const run = `serve-newest-${name}-${process.pid}`;
  const removed = () => openRunStreams(nats.connection, run).remove();
  onTestFinished(removed);
  return { bucket: openWeights(nats.connection, run), removed };
}
const metadataOf = async (adapter?: typeof lora) =>
  describeWeights({ model: Buffer.from(await modelFingerprint(model)).toString('hex'), adapter });

it('serves the target until weights are published, then each newest, and keeps one directory', async () => {
  const { bucket, removed } = bucketOf('weights');
  const { served, steps, reaches, scratch } = await serving(await publishedWeights(bucket, model));
  const metadata = await metadataOf();
  await reaches(0);
  expect(served[0].directory).toBe(model);
  // Weights of step 0 are the target's own.
  for (const step of [0, 1]) {
    const parts = safetensorsParts(toWrite(await weightsAt(step)));
    await bucket.publish({ step, parts, metadata }, options);
  }
  await reaches(1);
  expect(served[1].bytes.equals(await writtenModel(byName(await weightsAt(1))))).toBe(true);
  await bucket.publish({ step: 4, parts: safetensorsParts(toWrite(await weightsAt(4))), metadata }, options);
  await reaches(4);
  expect(steps()).toEqual([0, 1, 4]);
  // NATS has lost them, and the trainer publishes them again; then it goes back to a checkpoint.
  await removed();
  await bucket.publish({ step: 4, parts: safetensorsParts(toWrite(await weightsAt(4))), metadata }, options);
  await bucket.publish({ step: 3, parts: safetensorsParts(toWrite(await weightsAt(3))), metadata }, options);
  await reaches(3);
  expect(steps()).toEqual([0, 1, 4, 3]);
  const [own] = await readdir(scratch);
  await expect
    .poll(async () => (await readdir(join(scratch, own))).filter((name) => name.startsWith('step-')))
    .toEqual([expect.stringMatching(/^step-000003-/)]);
});

it('merges adapters as the trainer does at its end', async () => {
  const { bucket } = bucketOf('lora');
  const adapters = await adaptersAt(3);
  const parts = safetensorsParts(toWrite(adapters));
  await bucket.publish({ step: 3, parts, metadata: await metadataOf(lora) }, options);
  const { served, steps, reaches } = await serving(await publishedWeights(bucket, model));
  await reaches(3);
  expect(steps()).toEqual([3]);
  const merged = await mergedWeights(model, lora, byName(adapters));
  expect(served[0].bytes.equals(await writtenModel(merged))).toBe(true);
});

it.each([
  [
    'of another model',
    async () => ({ ...(await metadataOf()), model: 'ab' }),
    () => weightsAt(1),
    'another model',
  ],
  ['that lack a tensor', () => metadataOf(), async () => (await weightsAt(1)).slice(1), 'is missing'],
  ['of adapters that say they are weights', () => metadataOf(), () => adaptersAt(1), 'none of its tensors'],
] as const)('refuses weights %s', async (what, metadata, tensors, message) => {
  const { bucket } = bucketOf(what.replaceAll(' ', '-'));
  const parts = safetensorsParts(toWrite(await tensors()));
  await bucket.publish({ step: 1, parts, metadata: await metadata() }, options);
  const { ended } = await serving(await publishedWeights(bucket, model));
  await expect(ended).rejects.toMatchObject({
    code: 'failed_precondition',
    message: expect.stringContaining(message),
  });
});

it('follows a directory of checkpoints, of weights and of adapters, and passes over damaged ones', async () => {
  const checkpoints = await temporaryDirectory();
  const write = async (step: number, { damage = false, adapter = false } = {}) => {
    const unfinished = join(checkpoints, `step-00000${step}.unfinished`);
    await mkdir(unfinished);
    let name = 'model.safetensors';
    if (adapter) {
      name = 'adapter_model.safetensors';
      const config = { ...lora, baseModel: model, transposed: false };
      await writeAdapterFiles(unfinished, config, await adaptersAt(step));
    } else await writeSafetensors(join(unfinished, name), toWrite(await weightsAt(step)));
    const files = { [name]: await digestFile(join(unfinished, name)) };
    if (damage) await cp(join(model, 'model.safetensors'), join(unfinished, name));
    await writeFile(join(unfinished, 'trainer-state.json'), JSON.stringify({ state: { step }, files }));
    await rename(unfinished, join(checkpoints, `step-00000${step}`));
  };
  await mkdir(join(checkpoints, 'step-000009.unfinished'));
  await write(2);
  await write(3, { damage: true });
  const warnings: string[] = [];
  const log = { warn: (_: object, line?: string) => void warnings.push(line!) };
  const { served, steps, reaches } = await serving(checkpointWeights(checkpoints, log));
  await reaches(2);
  expect(served[0].bytes.equals(await writtenModel(byName(await weightsAt(2))))).toBe(true);
  await write(4, { adapter: true });
  await reaches(4);
  expect(steps()).toEqual([2, 4]);
  const merged = await mergedWeights(model, lora, byName(await adaptersAt(4)));
  expect(served[1].bytes.equals(await writtenModel(merged))).toBe(true);
  expect(warnings).toEqual([expect.stringMatching(/step-000003 is damaged/)]);
});

it('serves the target where a directory has no checkpoints yet', async () => {
  const { served, reaches } = await serving(
    checkpointWeights(join(await temporaryDirectory(), 'none'), { warn: () => {} }),
  );
  await reaches(0);
  expect(served[0].directory).toBe(model);
});
