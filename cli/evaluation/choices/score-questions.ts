import type { Scorer } from '../../../model/scoring/scorer.ts';
import { refuseStopped, type ScoringOptions } from '../scoring-options.ts';
import { type ContinuationSettings, continuations } from './continuations.ts';
import type { ChoiceQuestion } from './question.ts';

/**
 * What a model says of each choice behind its context.
 *
 * @returns [questions][choices] log-likelihoods: sums over the choice's tokens, in nats
 * @throws FuseMeshError invalid_argument as {@link continuations}, cancelled when aborted
 */
export async function scoreQuestions(
  scorer: Scorer,
  questions: readonly ChoiceQuestion[],
  settings: ContinuationSettings,
  { signal, onScored }: ScoringOptions,
): Promise<number[][]> {
  const logLikelihoods: number[][] = [];
  for (const question of questions) {
    refuseStopped(signal);
    const pairs = await continuations(scorer.tokenizer, question, settings);
    const scored = await scorer.scoreTokens(pairs.map(({ ids }) => ids));
    logLikelihoods.push(scored.map((tokens, i) => sum(tokens.subarray(pairs[i].begin))));
    onScored?.(1);
  }
  return logLikelihoods;
}

const sum = (values: Float32Array): number => values.reduce((total, value) => total + value, 0);
