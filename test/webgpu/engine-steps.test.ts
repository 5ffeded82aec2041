import { describe, expect, it } from 'vitest';
import type { EngineSnapshot } from '../../engine/engine-snapshot.ts';
import { ModelInTraining } from '../../engine/model-in-training.ts';
import { deviceOptimizer } from '../../engine/optimizer.ts';
import type { TrainingBatch } from '../../engine/training-batch.ts';
import { TrainingEngine } from '../../engine/training-engine.ts';
import type { TrainingTensor } from '../../engine/training-tensors.ts';
import { openMemory } from '../../model/runtime/memory.ts';
import { optionsFor, optionsOnDevice } from '../support/engine-options.ts';
import {
  goldenAdapters,
  goldenModel,
  largestDifference,
  openExpected,
  readBatch,
  readGoldenAdapter,
} from '../support/golden.ts';
import { goldenAdamW, readGoldenAdamW, relativeError } from '../support/golden-adamw.ts';
import { randomBatch } from '../support/random-batch.ts';
import { refusalOfDevice } from './software-device.ts';

const refusal = await refusalOfDevice();
const why = refusal ? ` (${refusal})` : '';
const here = { threads: 1, provider: 'webgpu' } as const;

describe.skipIf(refusal)(`AdamW on a device${why}`, () => {
  it.each(goldenAdamW)('gives what PyTorch gives, step by step: %s', async (way) => {
    const { norms, tensors: golden } = await readGoldenAdamW(way);
    const memory = await openMemory(here);
    const tensors: TrainingTensor[] = [];
    for (const { name, shape, start } of golden) {
      const zeros = () => memory.place(new Float32Array(start.length), shape);
      const decays = shape.length > 1;
      const weights = await memory.place(start, shape);
      const [gradient, firstMoment, secondMoment] = [await zeros(), await zeros(), await zeros()];
      tensors.push({ name, shape, weights, gradient, firstMoment, secondMoment, decays });
    }
    const options = { beta1: 0.9, beta2: 0.95, weightDecay: 0.1, clipNorm: 1 };
    const optimizer = await deviceOptimizer(tensors, options, memory, here);
    for (const [step, right] of norms.entries()) {
      for (const [i, { gradients }] of golden.entries())
        await memory.write(tensors[i].gradient, gradients[step]);
      const norm = await optimizer.norm();
      expect(norm / right).toBeCloseTo(1, 6);
      await optimizer.step(step + 1, 1e-2, norm);
      for (const [i, { right }] of golden.entries()) {
        for (const what of ['weights', 'firstMoment', 'secondMoment'] as const) {
          const error = relativeError(await memory.read(tensors[i][what]), right[what][step]);
          expect(error, `${what} at ${step}`).toBeLessThan(1e-6);
        }
      }
    }
    await optimizer.close();
    await memory.close();
  });
});

/** @param losses [steps × 4] loss, causal and fusion loss, and gradient norm of each step */
async function expectSteps(
  engine: TrainingEngine,
  batch: TrainingBatch,
  losses: Float32Array,
): Promise<void> {
  for (let step = 0; step < losses.length / 4; step++) {
    const { loss, causalLoss, fusionLoss, gradientNorm } = await engine.step(batch, 1e-3);
    const row = [loss, causalLoss, fusionLoss, gradientNorm];
    expect(largestDifference(row, losses.subarray(step * 4, step * 4 + 4))).toBeLessThan(1e-4);
  }
}

describe.skipIf(refusal)(`steps of the engine on a device${why}`, () => {
  it.each(['llama-grouped-tied', 'gpt2-untied-exact-gelu'])(
    "losses, norms and weights are PyTorch's: %s",
    async (family) => {
      const expected = await openExpected(goldenModel(family));
      const batch = await readBatch(expected);
      const engine = await TrainingEngine.start(goldenModel(family), optionsOnDevice(batch));
      const losses = await expected.readFloat32('losses');
      await expectSteps(engine, batch, losses);
      for (const { name, weights } of (await engine.snapshot()).tensors) {
        const gradient = await expected.readFloat32(`gradient:${name}`);
        const right = await expected.readFloat32(`final:${name}`);
        // A bias of keys moves no softmax: its gradient is rounding error, along which AdamW takes full steps.
        const isRounding = (i: number) => name.endsWith('c_attn.bias') && Math.abs(gradient[i]) < 1e-5;
        const compared = (values: Float32Array) => values.filter((_, i) => !isRounding(i));
        expect(largestDifference(compared(weights), compared(right)), name).toBeLessThan(1e-3);
      }
      await engine.close();
      await expected.close();
    },
  );

  it('losses, norms and adapters are those of peft', async () => {
    const [directory] = goldenAdapters();
    const { lora, base, untrained } = await readGoldenAdapter(directory);
    const expected = await openExpected(directory);
    const batch = await readBatch(expected);
    const engine = await TrainingEngine.start(base, { ...optionsOnDevice(batch), lora });
    await engine.restore(untrained);
    const losses = await expected.readFloat32('losses');
    await expectSteps(engine, batch, losses);
    for (const { name, weights } of (await engine.snapshot()).tensors) {
      const error = largestDifference(weights, await expected.readFloat32(`final:${name}`));
      expect(error, name).toBeLessThan(1e-3);
    }
    await engine.close();
    await expected.close();
  });

  it('leaves everything as it was where loss or gradient is NaN or infinite', async () => {
    const good = randomBatch([12, 7]);
    const poisoned = { ...good, fusedTail: good.fusedTail.map(() => Number.NaN) };
    const engine = await TrainingEngine.start(goldenModel('llama-grouped-tied'), optionsOnDevice(good));
    expect(await engine.step(good, 1e-3)).toMatchObject({ finite: true });
    const before = await engine.snapshot();
    expect(await engine.step(poisoned, 1e-3)).toMatchObject({ finite: false, gradientNorm: Number.NaN });
    expect(await engine.snapshot()).toEqual(before);
    expect(await engine.step(good, 1e-3)).toMatchObject({ finite: true });
    await engine.close();
  });

  it('scores texts as the processor does', async () => {
    const texts = [20, 1, 11, 3].map((length) => randomBatch([length]).inputIds);
    const options = [optionsOnDevice, optionsFor].map((of) => of({ lengths: [20, 1], candidates: 1 }));
    const [scores, right] = await Promise.all(
      options.map(async (of) => {
        const model = await ModelInTraining.open(goldenModel('gpt2-tied'), of);
        const scores = await model.crossEntropies(texts);
        await model.close();
        return scores;
      }),
    );
    for (const [i, ofText] of scores.entries())
      expect(largestDifference(ofText, right[i])).toBeLessThan(1e-3);
  });

  it('resumes on a device to the bit, and on the processor with the same state', async () => {
    const batch = randomBatch([20, 3, 11, 1, 7, 9, 2, 20]);
    const directory = goldenModel('llama-grouped-tied');
    const start = async (options: typeof optionsFor, from?: EngineSnapshot) => {
      const engine = await TrainingEngine.start(directory, { ...options(batch), rowsAtOnce: 2 });
      if (from) await engine.restore(from);
      return engine;
    };
    const unbroken = await start(optionsOnDevice);
    await unbroken.step(batch, 1e-3);
    const snapshot = await unbroken.snapshot();
    const { loss } = await unbroken.step(batch, 1e-3);
    const resumed = await start(optionsOnDevice, snapshot);
    await resumed.step(batch, 1e-3);
    expect(await resumed.snapshot()).toEqual(await unbroken.snapshot());

    const onProcessor = await start(optionsFor, snapshot);
    expect(await onProcessor.snapshot()).toEqual(snapshot);
    expect((await onProcessor.step(batch, 1e-3)).loss).toBeCloseTo(loss, 5);
    const later = await onProcessor.snapshot();
    await resumed.restore(later);
    expect(await resumed.snapshot()).toEqual(later);
    expect((await resumed.step(batch, 1e-3)).loss).toBeCloseTo((await onProcessor.step(batch, 1e-3)).loss, 5);
    for (const engine of [unbroken, resumed, onProcessor]) await engine.close();
  });
});
