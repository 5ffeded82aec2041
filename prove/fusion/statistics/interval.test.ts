import { expect, test } from 'vitest';
import { excludesZero, intervalOf, isBelow } from './interval.ts';

test('mean and interval of five values', () => {
  // Standard deviation √2.5, t = 2.7764.
  const { mean, halfWidth } = intervalOf([1, 2, 3, 4, 5]);
  expect(mean).toBe(3);
  expect(halfWidth).toBeCloseTo(2.7764 * Math.sqrt(2.5 / 5), 4);
});

test('one value has no interval, and says nothing about the noise', () => {
  expect(intervalOf([2])).toEqual({ mean: 2, halfWidth: undefined });
  expect(excludesZero(intervalOf([2]))).toBeUndefined();
  expect(isBelow(intervalOf([1]), intervalOf([2]))).toBeUndefined();
});

test('a difference is larger than the noise when 0 is outside of its interval', () => {
  expect(excludesZero({ mean: -0.2, halfWidth: 0.1 })).toBe(true);
  expect(excludesZero({ mean: -0.2, halfWidth: 0.3 })).toBe(false);
  expect(isBelow({ mean: 1, halfWidth: 0.1 }, { mean: 1.3, halfWidth: 0.1 })).toBe(true);
  expect(isBelow({ mean: 1, halfWidth: 0.1 }, { mean: 1.15, halfWidth: 0.1 })).toBe(false);
});
