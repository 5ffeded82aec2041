import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openSafetensors } from '../model/safetensors/safetensors-file.ts';
import { adamwStep, globalNorm, type OptimizedTensor } from './adamw.ts';

const options = { beta1: 0.9, beta2: 0.95, weightDecay: 0.1, clipNorm: 1 };
const tensor = (
  weights: ArrayLike<number>,
  gradient: ArrayLike<number>,
  decays: boolean,
): OptimizedTensor => ({
  weights: Float32Array.from(weights),
  gradient: Float32Array.from(gradient),
  firstMoment: new Float32Array(weights.length),
  secondMoment: new Float32Array(weights.length),
  decays,
});

/** max |a − b| / max(1, |b|) with a step's part of all steps' values; NaN where either has one. */
function largestError(values: Float32Array, allSteps: Float32Array, step: number): number {
  let largest = 0;
  for (const [i, value] of values.entries()) {
    const right = allSteps[step * values.length + i];
    const error = Math.abs(value - right) / Math.max(1, Math.abs(right));
    if (!(error <= largest)) largest = error;
  }
  return largest;
}

describe('adamwStep', () => {
  it.each(['single-tensor', 'foreach'])('gives what PyTorch gives, step by step: %s', async (way) => {
    const golden = join(import.meta.dirname, '../test/golden-adamw', `${way}.safetensors`);
    const expected = await openSafetensors(golden);
    const norms = await expected.readFloat32('norms');
    const names = [...expected.tensors.keys()].flatMap((key) => key.match(/^start:(.*)/)?.[1] ?? []);
    const tensors = await Promise.all(
      names.map(async (name) => {
        const start = await expected.readFloat32(`start:${name}`);
        return {
          ...tensor(start, start, expected.tensors.get(`start:${name}`)!.shape.length > 1),
          gradients: await expected.readFloat32(`gradients:${name}`),
          right: {
            weights: await expected.readFloat32(`weights:${name}`),
            firstMoment: await expected.readFloat32(`first_moments:${name}`),
            secondMoment: await expected.readFloat32(`second_moments:${name}`),
          },
        };
      }),
    );
    await expected.close();
    for (const [step, right] of norms.entries()) {
      for (const { gradient, gradients } of tensors)
        gradient.set(gradients.subarray(step * gradient.length, (step + 1) * gradient.length));
      const norm = globalNorm(tensors);
      expect(norm / right).toBeCloseTo(1, 6);
      adamwStep(tensors, step + 1, 1e-2, options, norm);
      for (const one of tensors)
        for (const what of ['weights', 'firstMoment', 'secondMoment'] as const)
          expect(largestError(one[what], one.right[what], step), `${what} at ${step}`).toBeLessThan(1e-6);
    }
  });

  it('clips by the norm that it is given', () => {
    const tensors = [tensor([0], [3], false), tensor([0], [4], false)];
    adamwStep(tensors, 1, 0.1, options, 5);
    // m = (1 − β₁)·g with g scaled to norm 1.
    expect(tensors[0].firstMoment[0]).toBeCloseTo(0.06, 5);
    expect(tensors[1].firstMoment[0]).toBeCloseTo(0.08, 5);
  });

  it('gives every value the same, wherever it stands and however long the tensor is', () => {
    const step = (length: number) => {
      const one = tensor(new Float32Array(length).fill(0.7), new Float32Array(length).fill(0.3), true);
      adamwStep([one], 3, 0.01, options, 2);
      return one;
    };
    const [right] = step(1).weights;
    for (const length of [3, 4, 4095, 4096, 4097, 3 * 4096 + 2]) {
      const { weights, firstMoment, secondMoment } = step(length);
      expect(new Set(weights)).toEqual(new Set([right]));
      expect(new Set(firstMoment).size).toBe(1);
      expect(new Set(secondMoment).size).toBe(1);
    }
  });
});

describe('globalNorm', () => {
  it('is taken over all tensors', () => {
    expect(globalNorm([tensor([0], [3], false), tensor([0], [4], false)])).toBe(5);
  });

  it('leaves no value out, whatever the length', () => {
    for (let length = 1; length < 10; length++) {
      expect(globalNorm([tensor([], Array(length).fill(2), true)])).toBeCloseTo(2 * Math.sqrt(length), 6);
    }
  });

  it('is NaN or infinite where a gradient is', () => {
    expect(globalNorm([tensor([0, 0], [1, Number.NaN], true)])).toBeNaN();
    expect(globalNorm([tensor([0, 0], [1, Number.POSITIVE_INFINITY], true)])).toBe(Number.POSITIVE_INFINITY);
  });
});
