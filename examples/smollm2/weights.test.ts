import { expect, test } from 'vitest';
import { halvesFromPairs } from './weights.ts';

test('rows that are rotated together come to stand half a head apart', () => {
  // Two heads of three pairs each; a row is [pair, which of the two].
  const row = (pair: number, side: number) => [pair, side];
  const pairs = [0, 1, 2, 3, 4, 5].flatMap((pair) => [...row(pair, 0), ...row(pair, 1)]);
  const head = (...own: number[]) => [0, 1].flatMap((side) => own.flatMap((pair) => row(pair, side)));
  expect([...halvesFromPairs(Float32Array.from(pairs), 2, 2)]).toEqual([...head(0, 1, 2), ...head(3, 4, 5)]);
});
