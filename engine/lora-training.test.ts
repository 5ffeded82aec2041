import { basename } from 'node:path';
import { describe, expect, it } from 'vitest';
import { optionsFor } from '../test/support/engine-options.ts';
import {
  goldenAdapters,
  goldenModel,
  largestDifference,
  openExpected,
  readBatch,
  readGoldenAdapter,
} from '../test/support/golden.ts';
import { gradientErrors } from '../test/support/training-gradients.ts';
import { TrainingEngine } from './training-engine.ts';

const adapters = goldenAdapters().map((path) => [basename(path), path] as const);
const learningRate = 1e-3;

describe('training of adapters agrees with peft', () => {
  it.each(adapters)('gradients of every tensor: %s', async (_, directory) => {
    const { lora, base, shapes, adapters } = await readGoldenAdapter(directory);
    const expected = await openExpected(directory);
    const batch = await readBatch(expected);
    const options = { ...optionsFor(batch), lora };
    const errors = await gradientErrors(base, options, batch, expected, adapters);
    expect([...errors.keys()].sort()).toEqual([...shapes.keys()].sort());
    for (const [name, error] of errors) expect(error, name).toBeLessThan(1e-4);
    await expected.close();
  });

  it.each(adapters)('losses, norms and adapters over AdamW steps: %s', async (_, directory) => {
    const { lora, base, adapters, untrained } = await readGoldenAdapter(directory);
    const expected = await openExpected(directory);
    const batch = await readBatch(expected);
    const engine = await TrainingEngine.start(base, { ...optionsFor(batch), lora });
    await engine.restore(untrained);
    const losses = await expected.readFloat32('losses');
    expect(losses.length).toBe(4 * 20);
    for (let step = 0; step < losses.length / 4; step++) {
      const { loss, causalLoss, fusionLoss, gradientNorm } = await engine.step(batch, learningRate);
      const row = [loss, causalLoss, fusionLoss, gradientNorm];
      expect(largestDifference(row, losses.subarray(step * 4, step * 4 + 4))).toBeLessThan(1e-4);
    }
    const { tensors } = await engine.snapshot();
    expect(tensors.map(({ name }) => name).sort()).toEqual([...adapters.keys()].sort());
    for (const { name, weights } of tensors) {
      expect(largestDifference(weights, await expected.readFloat32(`final:${name}`)), name).toBeLessThan(
        1e-3,
      );
    }
    await engine.close();
    await expected.close();
  });
});

it('begins as the model is: the first loss is that of the weights alone', async () => {
  const { base } = await readGoldenAdapter(adapters[0][1]);
  const expected = await openExpected(base);
  const batch = await readBatch(expected);
  const lora = { rank: 4, alpha: 8, targetModules: 'all-linear' };
  const engine = await TrainingEngine.start(base, { ...optionsFor(batch), lora });
  const [first] = await expected.readFloat32('losses');
  const { loss } = await engine.step(batch, learningRate);
  expect(loss).toBeCloseTo(first, 5);
  expect((await engine.step(batch, learningRate)).loss).toBeLessThan(loss);
  await engine.close();
  await expected.close();
});

it('refuses a pattern that fits nothing, and says what there is', async () => {
  const base = goldenModel('gpt2-tied');
  const expected = await openExpected(base);
  const options = optionsFor(await readBatch(expected));
  await expected.close();
  const start = (targetModules: string | string[]) =>
    TrainingEngine.start(base, { ...options, lora: { rank: 1, alpha: 1, targetModules } });
  await expect(start(['Wqkv'])).rejects.toMatchObject({
    code: 'invalid_argument',
    message: expect.stringContaining('"Wqkv" fits no linear layer of the model; it has c_attn, c_proj, c_fc'),
  });
  await expect(start('(')).rejects.toMatchObject({ code: 'invalid_argument' });
});
