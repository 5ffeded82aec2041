import { expect, it } from 'vitest';
import { smoothed } from './smoothed.ts';

it('leaves a short line as it is', () => {
  expect(smoothed([1, 5, null, 3])).toEqual([1, 5, null, 3]);
});

it('takes means over a fortieth of a long line, without gaps', () => {
  const line = Array.from({ length: 120 }, (_, i) => (i === 60 ? Number.NaN : i % 2));
  const [first, second] = smoothed(line);
  expect([first, second]).toEqual([1 / 2, 1 / 3]);
  expect(smoothed(line)[60]).toBe(1);
});
