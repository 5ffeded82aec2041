import { expect, test } from 'vitest';
import { tokensToReach } from './sample-efficiency.ts';

const points = [
  { tokens: 100, loss: 3 },
  { tokens: 200, loss: 2.5 },
  { tokens: 400, loss: 2.25 },
];

test('a loss at a point is reached there, one in the middle at the geometric mean of the tokens', () => {
  expect(tokensToReach(points, 2.5)).toEqual({ atMost: false, tokens: 200 });
  expect(tokensToReach(points, 2.75)?.tokens).toBeCloseTo(100 * Math.SQRT2, 9);
  expect(tokensToReach(points, 2.375)?.tokens).toBeCloseTo(200 * Math.SQRT2, 9);
});

test('what the first point has reached takes that many at most; what none reaches is not known', () => {
  expect(tokensToReach(points, 3.5)).toEqual({ atMost: true, tokens: 100 });
  expect(tokensToReach(points, 2)).toBeUndefined();
});
