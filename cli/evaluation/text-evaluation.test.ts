import { expect, it } from 'vitest';
import { textEvaluation } from './text-evaluation.ts';

it('sums over the pieces before it divides', () => {
  const evaluation = textEvaluation('a.txt', [
    { crossEntropy: 10 * Math.LN2, predictedTokens: 3, predictedBytes: 10 },
    { crossEntropy: 4 * Math.LN2, predictedTokens: 1, predictedBytes: 4 },
  ]);
  expect(evaluation).toMatchObject({ name: 'a.txt', tokens: 4, bytes: 14 });
  expect(evaluation.bitsPerByte).toBeCloseTo(1, 12);
  expect(evaluation.natsPerToken).toBeCloseTo(3.5 * Math.LN2, 12);
  expect(evaluation.perplexity).toBeCloseTo(2 ** 3.5, 12);
});

it('refuses a path whose texts have nothing to predict', () => {
  const refused = 'a.txt has no token to predict';
  expect(() => textEvaluation('a.txt', [])).toThrow(refused);
  const single = { crossEntropy: 0, predictedTokens: 0, predictedBytes: 0 };
  expect(() => textEvaluation('a.txt', [single])).toThrow(refused);
});
