import type { Placement } from '../../model/runtime/placement.ts';
import { startWorker } from '../../model/runtime/worker.ts';
import type { ScoringMethods } from '../../model/scoring/scoring-worker.ts';
import type { GoldenCase } from './golden-case.ts';

/** A model that scores as a teacher does, in a worker thread. */
export interface OpenScorer {
  readonly vocabularySize: number;
  readonly score: (texts: readonly Int32Array[], topK: number) => ReturnType<ScoringWorker['score']>;
  close(): Promise<void>;
}

type ScoringWorker = ReturnType<typeof startWorker<ScoringMethods>>['remote'];

/** Opens the model in a directory, which needs no tokenizer. */
export async function openScorer(directory: string, place: Placement, threads: number): Promise<OpenScorer> {
  const file = new URL('../../model/scoring/scoring-worker.ts', import.meta.url);
  const { remote, stop } = startWorker<ScoringMethods>(file);
  try {
    const { card } = await remote.load({ directory }, threads, place);
    const { vocabularySize } = card;
    return { vocabularySize, score: (texts, topK) => remote.score(texts, topK), close: stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** [tokens × vocabulary] log-probabilities of every next token in the batch of a golden model. */
export async function scoreCase({ directory, batch }: GoldenCase, place: Placement): Promise<Float32Array> {
  const scorer = await openScorer(directory, place, 1);
  try {
    const { vocabularySize } = scorer;
    const texts = batch.lengths.map((length, i) => {
      const begin = batch.lengths.slice(0, i).reduce((sum, before) => sum + before, 0);
      return batch.inputIds.slice(begin, begin + length);
    });
    const { candidateIds, logProbabilities } = await scorer.score(texts, vocabularySize);
    const byId = new Float32Array(logProbabilities.length).fill(Number.NaN);
    for (const [i, id] of candidateIds.entries()) {
      byId[i - (i % vocabularySize) + id] = logProbabilities[i];
    }
    return byId;
  } finally {
    await scorer.close();
  }
}
