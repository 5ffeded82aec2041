import { expect, it } from 'vitest';
import { choiceAccuracy } from './choice-accuracy.ts';

it('takes the greatest sum, and the greatest by characters of the choice', () => {
  const questions = [
    { choices: ['no', 'certainly'], answer: 0 },
    { choices: ['no', 'certainly'], answer: 1 },
    { choices: ['👍👍', 'abc'], answer: 1 },
    { choices: ['a', 'b'], answer: 1 },
  ];
  const accuracy = choiceAccuracy(questions, [
    [-3, -9],
    [-3, -9],
    [-4, -5],
    [-1, -1],
  ]);
  expect(accuracy).toMatchObject({ questions: 4, acc: 0.25, accNorm: 0.5 });
  expect(accuracy.accStandardError).toBeCloseTo(0.25, 12);
  expect(accuracy.accNormStandardError).toBeCloseTo(Math.sqrt(0.25 / 3), 12);
});

it('knows no error of a single question', () => {
  const accuracy = choiceAccuracy([{ choices: ['a', 'b'], answer: 0 }], [[-1, -2]]);
  expect(accuracy).toMatchObject({ acc: 1, accStandardError: null, accNormStandardError: null });
});
