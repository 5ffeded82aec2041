import { expect, it } from 'vitest';
import { lastOf, summaryOf, withGaps } from './summary.ts';

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
