import { expect, test } from 'vitest';
import { alignByBoundary } from '../align/boundary.ts';
import { leastSegmentCrossEntropy } from './segment-cross-entropy.ts';

const source = (target: readonly number[], ends: readonly number[], logProbabilities: readonly number[]) => {
  const distribution = {
    ends: Int32Array.from(ends),
    tokenLogProbabilities: Float32Array.from(logProbabilities),
  };
  return { distribution, rows: alignByBoundary(Int32Array.from(target), distribution.ends) };
};

test('takes at each position who predicts best until it is aligned again, by characters', () => {
  const target = [2, 4, 6, 8];
  // One token of 2 nats for four characters, against two of 1.5 for two each.
  const coarse = source(target, [2, 6, 8], [0, -2, -9]);
  const fine = source(target, [2, 4, 6, 8], [0, -1.5, -1.5, -1]);
  expect([...leastSegmentCrossEntropy([coarse, fine], 4)]).toEqual([0, 1, 1, -1]);
  expect([...leastSegmentCrossEntropy([fine, coarse], 4)]).toEqual([1, 0, 0, -1]);
  expect([...leastSegmentCrossEntropy([fine, fine], 4)]).toEqual([0, 0, 0, -1]);
  expect([...leastSegmentCrossEntropy([undefined, coarse], 4)]).toEqual([1, -1, 1, -1]);
});
