import { expect, it } from 'vitest';
import { mostDifference } from '../../../../wire/codec/probe-difference.ts';
import { prefixLengths, rowDifference } from './probe.ts';

const columns = (ids: number[], values: number[]) => ({
  candidateIds: Int32Array.from(ids),
  logProbabilities: Float32Array.from(values),
  tokenLogProbabilities: new Float32Array(2),
});

it('takes prefixes from one token to all but one', () => {
  expect(prefixLengths(9)).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
  expect(prefixLengths(50).at(-1)).toBe(49);
  expect(prefixLengths(3)).toEqual([1, 2]);
});

it('finds rows apart that are of other places, and those of one place not', () => {
  const whole = columns([1, 2, 3, 4], [-0.2, -3, -0.3, -2]);
  expect(rowDifference(whole, 0, columns([2, 1], [-3, -0.2]), 0, 2)).toBeCloseTo(0, 6);
  expect(rowDifference(whole, 0, columns([1, 2], [-0.2004, -2.99]), 0, 2)).toBeLessThan(mostDifference);
  expect(rowDifference(whole, 0, whole, 1, 2)).toBeGreaterThan(1);
});
