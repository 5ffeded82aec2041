import type { Scorer } from '../../../model/scoring/scorer.ts';
import { refuseStopped, type ScoringOptions } from '../scoring-options.ts';
import type { Continuation } from './continuations.ts';

/**
 * What a model says of each choice behind its context.
 *
 * @param questions [questions][choices]
 * @returns [questions][choices] log-likelihoods: sums over the choice's tokens, in nats
 * @throws FuseMeshError cancelled when aborted
 */
export async function scoreContinuations(
  scorer: Scorer,
  questions: readonly (readonly Continuation[])[],
  { signal, onScored }: ScoringOptions,
): Promise<number[][]> {
  const logLikelihoods: number[][] = [];
  for (const choices of questions) {
    refuseStopped(signal);
    const scored = await scorer.scoreTokens(choices.map(({ ids }) => ids));
    logLikelihoods.push(scored.map((tokens, i) => sum(tokens.subarray(choices[i].begin))));
    onScored?.(1);
  }
  return logLikelihoods;
}

const sum = (values: Float32Array): number => values.reduce((total, value) => total + value, 0);
