import type { Scorer } from '../../model/scoring/scorer.ts';

/** A scorer whose batches for one run wait in a lane of their own: runs and callers take turns. */
export const scorerInLane = (scorer: Scorer, run: string): Pick<Scorer, 'score' | 'tokenizer' | 'card'> => ({
  score: (texts, topK) => scorer.score(texts, topK, { lane: `run ${run}` }),
  tokenizer: scorer.tokenizer,
  card: scorer.card,
});
