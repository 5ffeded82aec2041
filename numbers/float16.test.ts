import fc from 'fast-check';
import { expect, test } from 'vitest';
import { fromFloat16, toFloat16 } from './float16.ts';

const allHalves = Uint16Array.from({ length: 0x10000 }, (_, i) => i);

test('known values', () => {
  const halves = toFloat16(Float32Array.of(0, -0, 1, -2, 65504, 65519, 65520, 2 ** -24, 2 ** -25, Infinity));
  expect([...halves]).toEqual([0, 0x8000, 0x3c00, 0xc000, 0x7bff, 0x7bff, 0x7c00, 1, 0, 0x7c00]);
  expect(toFloat16(Float32Array.of(Number.NaN))[0] & 0x7fff).toBeGreaterThan(0x7c00);
});

test('every half survives the way to float32 and back', () => {
  const values = fromFloat16(allHalves);
  const back = toFloat16(values);
  for (let half = 0; half < 0x10000; half++) {
    if (Number.isNaN(values[half])) expect((back[half] & 0x7fff) > 0x7c00).toBe(true);
    else if (back[half] !== half) expect.fail(`${half} became ${back[half]}`);
  }
});

test('rounds to the nearest half, ties to even', () => {
  const positive = fromFloat16(allHalves.subarray(0, 0x7c00));
  fc.assert(
    fc.property(fc.float({ min: 0, max: 65504, noNaN: true }), (value) => {
      const half = toFloat16(Float32Array.of(value))[0];
      const error = Math.abs(positive[half] - value);
      for (const other of [half - 1, half + 1]) {
        if (other < 0 || other >= 0x7c00) continue;
        const otherError = Math.abs(positive[other] - value);
        expect(error <= otherError).toBe(true);
        if (error === otherError && error > 0) expect(half % 2).toBe(0);
      }
    }),
  );
});

test('keeps -infinity and -0', () => {
  const values = Float32Array.of(Number.NEGATIVE_INFINITY, -0);
  expect([...fromFloat16(toFloat16(values))]).toEqual([Number.NEGATIVE_INFINITY, -0]);
});
