import { expect, it } from 'vitest';
import { lastOf, smoothed, summaryOf, withGaps } from './line.ts';

const line = (name: string, values: (number | null)[]) => ({ name, colour: '--series-1', values });

it('says what a chart shows', () => {
  const lines = [
    line('total', [3, null, 2]),
    line('fusion', [1, 1, 1]),
    line('none', [null, Number.NaN, null]),
  ];
  expect(summaryOf('Loss', [1, 2, 3], lines, (value) => value.toFixed(1))).toBe(
    'Loss, steps 1 to 3: total from 3.0 to 2.0, fusion 1.0',
  );
  expect(summaryOf('Loss', [], [], String)).toBe('Loss: nothing yet');
});

it('knows gaps from values', () => {
  expect(lastOf(line('total', [3, 2, Number.NaN]))).toBe(2);
  expect(lastOf(line('total', []))).toBeUndefined();
  expect(withGaps(line('total', [3, Number.NaN, Number.POSITIVE_INFINITY, null]))).toEqual([
    3,
    null,
    null,
    null,
  ]);
});

it('leaves a short line as it is', () => {
  expect(smoothed([1, 5, null, 3])).toEqual([1, 5, null, 3]);
});

it('takes means over a fortieth of a long line, without gaps', () => {
  const line = Array.from({ length: 120 }, (_, i) => (i === 60 ? Number.NaN : i % 2));
  const [first, second] = smoothed(line);
  expect([first, second]).toEqual([1 / 2, 1 / 3]);
  expect(smoothed(line)[60]).toBe(1);
});
