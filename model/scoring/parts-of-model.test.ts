import { join } from 'node:path';
import { expect, it } from 'vitest';
import { largestDifference } from '../../test/support/golden.ts';
import { createRandom } from '../../test/support/random.ts';
import { openScoredModel } from './open-scored-model.ts';

const novelist = join(import.meta.dirname, '..', '..', 'examples', 'zoo', 'novelist');
const topK = 5;

it('scores texts alike alone and where parts of the head end in them', async () => {
  const model = await openScoredModel({ directory: novelist }, 1);
  const { card, score } = model;
  const random = createRandom(7);
  const text = (length: number) =>
    Int32Array.from({ length }, () => Math.floor(random() * card.vocabularySize));
  // The head's parts of 256 tokens begin in the second text, with the fourth, and with the fifth's last token.
  const texts = [200, 250, 62, 1, 256, 90].map(text);
  const together = await score(texts, topK);
  expect(together.length).toBe(256);
  for (const [row, ids] of texts.entries()) {
    const alone = await score([ids], topK);
    const first = row * together.length;
    const [begin, end] = [first * topK, (first + ids.length) * topK];
    expect(together.candidateIds.subarray(begin, end)).toEqual(alone.candidateIds);
    expect(
      largestDifference(together.logProbabilities.subarray(begin, end), alone.logProbabilities),
    ).toBeLessThan(1e-4);
    expect(
      largestDifference(
        together.labelLogProbabilities.subarray(first, first + ids.length),
        alone.labelLogProbabilities,
      ),
    ).toBeLessThan(1e-4);
    const padding = together.logProbabilities.subarray(end, (first + together.length) * topK);
    expect(padding.every((value) => value === 0)).toBe(true);
  }
  await model.close();
});
