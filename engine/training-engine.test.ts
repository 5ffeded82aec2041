import { createHash } from 'node:crypto';
import { basename, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { optionsFor } from '../test/support/engine-options.ts';
import { goldenModels, largestDifference, openExpected, readBatch } from '../test/support/golden.ts';
import { gradientErrors } from '../test/support/training-gradients.ts';
import { ModelInTraining } from './model-in-training.ts';
import type { TrainingBatch } from './training-batch.ts';
import { TrainingEngine } from './training-engine.ts';

const models = goldenModels().map((path) => [basename(path), path] as const);
const learningRate = 1e-3;
const zooTarget = join(import.meta.dirname, '..', 'examples', 'zoo', 'target');

const sha256 = (values: Float32Array): string => createHash('sha256').update(values).digest('hex');

/** A batch in which every token stands many times, so that threads meet at the same rows of the embedding. */
function manyRepeatedTokens(rows: number, length: number): TrainingBatch {
  const tokens = rows * length;
  return {
    lengths: Array(rows).fill(length),
    candidates: 1,
    inputIds: Int32Array.from({ length: tokens }, (_, i) => (i * i) % 7),
    labels: Int32Array.from({ length: tokens }, (_, i) => (i * i + 1) % 7),
    fusedIds: new Int32Array(tokens),
    fusedProbabilities: new Float32Array(tokens).fill(1),
    fusedTail: new Float32Array(tokens),
  };
}

describe('training agrees with PyTorch', () => {
  it.each(models)('gradients of every weight: %s', async (_, directory) => {
    const expected = await openExpected(directory);
    const batch = await readBatch(expected);
    const errors = await gradientErrors(directory, optionsFor(batch), batch, expected);
    const gradients = [...expected.tensors.keys()].filter((name) => name.startsWith('gradient:'));
    expect([...errors.keys()].map((name) => `gradient:${name}`).sort()).toEqual(gradients.sort());
    for (const [name, error] of errors) expect(error, name).toBeLessThan(1e-4);
    await expected.close();
  });

  it.each(models)('losses, norms and weights over AdamW steps: %s', async (_, directory) => {
    const expected = await openExpected(directory);
    const batch = await readBatch(expected);
    // In this thread: to start one takes longer than the steps.
    const model = await ModelInTraining.open(directory, optionsFor(batch));
    const { optimizer, memory, tensors } = model;
    const losses = await expected.readFloat32('losses');
    for (let step = 0; step < losses.length / 4; step++) {
      const { loss, causalLoss, fusionLoss, tokens } = await model.computeGradients(batch);
      const norm = await optimizer.norm();
      await optimizer.step(step + 1, learningRate, norm);
      const row = [loss, causalLoss, fusionLoss, norm];
      expect(largestDifference(row, losses.subarray(step * 4, step * 4 + 4))).toBeLessThan(1e-4);
      expect(tokens).toBe(batch.labels.filter((label) => label >= 0).length);
    }
    for (const { name, weights: tensor } of tensors.trained) {
      const weights = await memory.read(tensor);
      const gradient = await expected.readFloat32(`gradient:${name}`);
      const right = await expected.readFloat32(`final:${name}`);
      // A bias of keys moves no softmax: its gradient is rounding error, along which AdamW takes full steps.
      const holdsKeys = /(c_attn|query_key_value)\.bias$/.test(name);
      const isRounding = (i: number) => holdsKeys && Math.abs(gradient[i]) < 1e-5;
      const compared = (values: Float32Array) => values.filter((_, i) => !isRounding(i));
      expect(largestDifference(compared(weights), compared(right)), name).toBeLessThan(1e-3);
    }
    await model.close();
    await expected.close();
  });
});

describe('TrainingEngine', () => {
  const directory = models[0][1];

  it('takes the same steps in its thread', async () => {
    const expected = await openExpected(directory);
    const batch = await readBatch(expected);
    const engine = await TrainingEngine.start(directory, optionsFor(batch));
    const losses = await expected.readFloat32('losses');
    for (let step = 0; step < losses.length / 4; step++) {
      const { loss, causalLoss, fusionLoss, gradientNorm, tokens } = await engine.step(batch, learningRate);
      const row = [loss, causalLoss, fusionLoss, gradientNorm];
      expect(largestDifference(row, losses.subarray(step * 4, step * 4 + 4))).toBeLessThan(1e-4);
      expect(tokens).toBe(batch.labels.filter((label) => label >= 0).length);
    }
    for (const { name, weights } of await engine.weights()) {
      expect(largestDifference(weights, await expected.readFloat32(`final:${name}`)), name).toBeLessThan(
        1e-3,
      );
    }
    await engine.close();
    await expected.close();
  });

  it('resumes from a snapshot to the bit', async () => {
    const expected = await openExpected(directory);
    const batch = await readBatch(expected);
    const start = () => TrainingEngine.start(directory, optionsFor(batch));
    const unbroken = await start();
    await unbroken.step(batch, learningRate);
    const snapshot = await unbroken.snapshot();
    await unbroken.step(batch, learningRate);
    const resumed = await start();
    await resumed.restore(snapshot);
    await resumed.step(batch, learningRate);
    expect(await resumed.snapshot()).toEqual(await unbroken.snapshot());
    await unbroken.close();
    await resumed.close();
    await expected.close();
  });

  it('leaves everything as it was where loss or gradient is NaN or infinite', async () => {
    const expected = await openExpected(directory);
    const batch = await readBatch(expected);
    const poison = (values: Float32Array, by: number) => values.map(() => by);
    const withoutLoss = { ...batch, fusedProbabilities: poison(batch.fusedProbabilities, Infinity) };
    const withoutGradient = { ...batch, fusedTail: poison(batch.fusedTail, Number.NaN) };
    const engine = await TrainingEngine.start(directory, optionsFor(batch));
    expect(await engine.step(batch, learningRate)).toMatchObject({ finite: true });
    const before = await engine.snapshot();
    const { loss, finite } = await engine.step(withoutLoss, learningRate);
    expect([Number.isFinite(loss), finite]).toEqual([false, false]);
    const none = { finite: false, gradientNorm: Number.NaN };
    expect(await engine.step(withoutGradient, learningRate)).toMatchObject(none);
    expect(await engine.snapshot()).toEqual(before);
    await engine.close();
    await expected.close();
  });

  it('gives the same weights to the bit every time, on several threads', async () => {
    const batch = manyRepeatedTokens(8, 256);
    const train = async () => {
      const engine = await TrainingEngine.start(zooTarget, { ...optionsFor(batch), threads: 4 });
      for (let step = 0; step < 3; step++) await engine.step(batch, learningRate);
      const { tensors } = await engine.snapshot();
      await engine.close();
      return tensors.map(({ name, weights }) => `${name} ${sha256(weights)}`);
    };
    const first = await train();
    for (let again = 0; again < 2; again++) expect(await train()).toEqual(first);
  });

  it('refuses a batch of other sizes, a context too long and a foreign snapshot', async () => {
    const expected = await openExpected(directory);
    const batch = await readBatch(expected);
    const engine = await TrainingEngine.start(directory, optionsFor(batch));
    await expect(engine.step({ ...batch, candidates: 1 }, learningRate)).rejects.toThrow('with 1 candidates');
    await expect(engine.restore({ step: 3, tensors: [] })).rejects.toThrow('does not fit the target');
    await expect(
      TrainingEngine.start(directory, { ...optionsFor(batch), contextLength: 999 }),
    ).rejects.toThrow('contextLength is 999');
    await engine.close();
    await expected.close();
  });
});

it('refuses a quantized target before anything is trained', async () => {
  const directory = join(import.meta.dirname, '..', 'test', 'golden-quantized', 'awq');
  const options = optionsFor({ lengths: [4], candidates: 1 });
  await expect(TrainingEngine.start(directory, options)).rejects.toThrow(
    `${directory} is quantized (awq, 4 bits): it can teach and generate, but not be trained`,
  );
});
