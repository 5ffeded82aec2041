import { describe, expect, it } from 'vitest';
import { adamwStep, globalNorm, type OptimizedTensor } from './adamw.ts';

const options = { beta1: 0.9, beta2: 0.95, weightDecay: 0.1, clipNorm: 1 };
const tensor = (weights: number[], gradient: number[], decays: boolean): OptimizedTensor => ({
  weights: Float32Array.from(weights),
  gradient: Float32Array.from(gradient),
  firstMoment: new Float32Array(weights.length),
  secondMoment: new Float32Array(weights.length),
  decays,
});

// Against PyTorch over several steps: training-engine.test.ts.
describe('adamwStep', () => {
  it('clips by the norm over all tensors', () => {
    const tensors = [tensor([0], [3], false), tensor([0], [4], false)];
    expect(globalNorm(tensors)).toBe(5);
    adamwStep(tensors, 1, 0.1, options, 5);
    // m = (1 − β₁)·g with g scaled to norm 1.
    expect(tensors[0].firstMoment[0]).toBeCloseTo(0.06, 5);
    expect(tensors[1].firstMoment[0]).toBeCloseTo(0.08, 5);
  });

  it('leaves no value out of the norm, whatever the length', () => {
    for (let length = 1; length < 10; length++) {
      expect(globalNorm([tensor([], Array(length).fill(2), true)])).toBeCloseTo(2 * Math.sqrt(length), 6);
    }
  });

  it('moves by the learning rate at the first step, whatever the size of the gradient', () => {
    const tensors = [tensor([1, 1], [1e-3, -1e-2], false)];
    adamwStep(tensors, 1, 0.1, options, globalNorm(tensors));
    expect(tensors[0].weights[0]).toBeCloseTo(0.9, 4);
    expect(tensors[0].weights[1]).toBeCloseTo(1.1, 4);
  });

  it('decays only what decays', () => {
    const tensors = [tensor([1], [0], true), tensor([1], [0], false)];
    adamwStep(tensors, 1, 0.1, options, globalNorm(tensors));
    expect(tensors[0].weights[0]).toBeCloseTo(0.99, 6);
    expect(tensors[1].weights[0]).toBe(1);
  });
});
