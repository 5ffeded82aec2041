import { describe, expect, it } from 'vitest';
import { goldenAdamW, readGoldenAdamW, relativeError } from '../test/support/golden-adamw.ts';
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

describe('adamwStep', () => {
  it.each(goldenAdamW)('gives what PyTorch gives, step by step: %s', async (way) => {
    const { norms, tensors: golden } = await readGoldenAdamW(way);
    const tensors = golden.map(({ start, shape }) => tensor(start, start, shape.length > 1));
    for (const [step, right] of norms.entries()) {
      for (const [i, { gradients }] of golden.entries()) tensors[i].gradient.set(gradients[step]);
      const norm = globalNorm(tensors);
      expect(norm / right).toBeCloseTo(1, 6);
      adamwStep(tensors, step + 1, 1e-2, options, norm);
      for (const [i, { right }] of golden.entries())
        for (const what of ['weights', 'firstMoment', 'secondMoment'] as const)
          expect(relativeError(tensors[i][what], right[what][step]), `${what} at ${step}`).toBeLessThan(1e-6);
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
