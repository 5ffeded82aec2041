import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { Scorer } from '../../../model/scoring/scorer.ts';
import { largestDifference } from '../../../test/support/golden.ts';
import { type ChoiceAccuracy, choiceAccuracy } from './accuracy.ts';
import { continuations } from './continuations.ts';
import { readQuestions } from './read-questions.ts';
import { scoreContinuations } from './score-continuations.ts';

const root = join(import.meta.dirname, '..', '..', '..');
const golden = join(root, 'test', 'golden-eval');
/** What test/oracle/choices.py computed by the formula of lm-evaluation-harness. */
const expected = JSON.parse(await readFile(join(golden, 'expected.json'), 'utf8')) as Record<
  string,
  ChoiceAccuracy & { readonly logLikelihoods: readonly (readonly number[])[] }
>;
const questions = await readQuestions(join(golden, 'questions.jsonl'));

describe.each(['orator', 'novelist'])('%s', (name) => {
  it('gives the log-likelihoods and accuracies of transformers', async () => {
    const scorer = await Scorer.load(join(root, 'examples', 'zoo', name), { topK: 1, threads: 1 });
    const settings = { delimiter: ' ', contextLength: scorer.card.contextLength };
    const { signal } = new AbortController();
    let scored = 0;
    const onScored = (count: number) => {
      scored += count;
    };
    const encoded = await Promise.all(
      questions.map((question) => continuations(scorer.tokenizer, question, settings)),
    );
    const found = await scoreContinuations(scorer, encoded, { signal, onScored });
    await scorer.close();

    const { logLikelihoods, ...accuracy } = expected[name];
    expect(found.map((sums) => sums.length)).toEqual(logLikelihoods.map((sums) => sums.length));
    expect(largestDifference(found.flat(), logLikelihoods.flat())).toBeLessThan(1e-3);
    const { questions: count, ...shares } = choiceAccuracy(questions, found);
    expect(count).toBe(12);
    expect(scored).toBe(12);
    for (const [key, value] of Object.entries(shares)) {
      expect(value, key).toBeCloseTo(accuracy[key as keyof typeof accuracy]!, 12);
    }
  });
});
