import { expect, test } from 'vitest';
import { sparkline } from './sparkline.ts';

test('draws the least value lowest and the greatest highest', () => {
  expect(sparkline([4, 3, 2.5, 1, 1.5], 10)).toBe('█▆▅▁▂');
});

test('draws the means of neighbours where there are too many values', () => {
  expect(sparkline([8, 6, 4, 2, 0, 0], 3)).toBe('█▄▁');
  expect(
    sparkline(
      Array.from({ length: 1000 }, (_, i) => i),
      7,
    ),
  ).toHaveLength(7);
});

test('draws a straight line where nothing changes, and leaves out NaN', () => {
  expect(sparkline([2, Number.NaN, 2], 5)).toBe('▁▁');
  expect(sparkline([], 5)).toBe('');
});
