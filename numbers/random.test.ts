import fc from 'fast-check';
import { expect, test } from 'vitest';
import { normalNumbers, shuffle, uniformNumbers } from './random.ts';

test('a seed fixes the numbers', () => {
  const draw = (seed: number) => Array.from({ length: 5 }, uniformNumbers(seed));
  expect(draw(1)).toEqual(draw(1));
  expect(draw(1)).not.toEqual(draw(2));
});

test('normal numbers have mean 0 and the standard deviation asked for', () => {
  const numbers = Array.from({ length: 20_000 }, normalNumbers(3, 0.02));
  const mean = numbers.reduce((sum, number) => sum + number, 0) / numbers.length;
  const variance = numbers.reduce((sum, number) => sum + (number - mean) ** 2, 0) / numbers.length;
  expect(Math.abs(mean)).toBeLessThan(0.0005);
  expect(Math.abs(Math.sqrt(variance) - 0.02)).toBeLessThan(0.0005);
});

test('shuffling keeps what there is', () => {
  fc.assert(
    fc.property(fc.array(fc.integer()), fc.nat(), (list, seed) => {
      const shuffled = [...list];
      shuffle(shuffled, uniformNumbers(seed));
      const byValue = (a: number, b: number) => a - b;
      expect(shuffled.sort(byValue)).toEqual([...list].sort(byValue));
    }),
  );
});
