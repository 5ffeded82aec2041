import { expect, test } from 'vitest';
import { changeOf, columnsOf, differenceOf, isSame, lossesOf, lossOf } from './losses.ts';

const named = (experiment: string, seed: number, speeches: number, fiction: number) => ({
  experiment,
  share: 1,
  passes: 1,
  result: {
    key: '',
    name: experiment,
    seed,
    learningRate: 1,
    bitsPerByte: { speeches, fiction },
    steps: 1,
    skippedSteps: 0,
    tokens: 1,
    seconds: 1,
    weightsSha256: '',
  },
});
const losses = lossesOf([
  named('a', 1, 2, 3),
  named('a', 2, 4, 5),
  named('b', 1, 1.9, 2.9),
  named('b', 2, 3.9, 4.9),
  named('b', 3, 9, 9),
]);

test('the mean over domains is a column of its own', () => {
  expect(columnsOf(losses)).toEqual(['speeches', 'fiction', 'mean']);
  expect(lossOf(losses, 'a', 'mean').mean).toBe(3.5);
});

test('differences are between results of the same seed, whose common noise goes', () => {
  const { mean, halfWidth } = differenceOf(losses, 'b', 'a', 'speeches');
  expect(mean).toBeCloseTo(-0.1, 12);
  expect(halfWidth).toBeLessThan(1e-9);
  expect(changeOf(losses, 'b', 'a', 'speeches').mean).toBeCloseTo((-5 - 2.5) / 2, 12);
});

test('the same training is known by its losses', () => {
  expect(isSame(losses, 'a', 'a')).toBe(true);
  expect(isSame(losses, 'a', 'b')).toBe(false);
});
