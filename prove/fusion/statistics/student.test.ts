import { expect, test } from 'vitest';
import { studentQuantile, studentWithin } from './student.ts';

// From the usual tables of two-sided 95 % and 99 %.
test.each([
  [1, 12.7062, 63.6567],
  [2, 4.3027, 9.9248],
  [3, 3.1824, 5.8409],
  [4, 2.7764, 4.6041],
  [9, 2.2622, 3.2498],
  [10, 2.2281, 3.1693],
  [30, 2.0423, 2.75],
])('quantiles with %i degrees of freedom', (freedom, t95, t99) => {
  expect(studentQuantile(0.95, freedom)).toBeCloseTo(t95, 4);
  expect(studentQuantile(0.99, freedom)).toBeCloseTo(t99, 4);
});

test('half of the distribution of one degree of freedom lies within 1, that of Cauchy', () => {
  expect(studentWithin(1, 1)).toBeCloseTo(0.5, 12);
  expect(studentWithin(0, 5)).toBe(0);
});
