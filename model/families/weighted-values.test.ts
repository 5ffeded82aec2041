import { expect, it } from 'vitest';
import { largestGradientError } from '../../test/support/finite-differences.ts';
import { matmul, softmax } from '../graph/expressions.ts';
import type { Value } from '../graph/graph.ts';
import { weightedValues } from './weighted-values.ts';

const samples = [{ shape: [2, 2, 3, 4] }, { shape: [2, 2, 4, 3] }];

it('has the gradient that finite differences give, as its parts have', async () => {
  const parts = (scores: Value, values: Value) => matmul(softmax(scores), values);
  expect(await largestGradientError(weightedValues, samples)).toBeLessThan(1e-3);
  expect(await largestGradientError(parts, samples)).toBeLessThan(1e-3);
});
