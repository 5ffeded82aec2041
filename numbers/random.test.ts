import fc from 'fast-check';
import { expect, test } from 'vitest';
import { shuffle, uniformNumbers } from './random.ts';

test('a seed fixes the numbers', () => {
  const draw = (seed: number) => Array.from({ length: 5 }, uniformNumbers(seed));
  expect(draw(1)).toEqual(draw(1));
  expect(draw(1)).not.toEqual(draw(2));
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
