import { FuseMeshError } from '../../errors/fusemesh-error.ts';
import type { ScoredText } from '../../model/scoring/scored-text.ts';
import type { Scorer } from '../../model/scoring/scorer.ts';
import type { DeliveredDocument } from '../../wire/nats/run-streams.ts';

/** What came of a batch of documents. */
export interface ScoredDocuments {
  readonly accepted: readonly DeliveredDocument[];
  /** In the order of the accepted ones. */
  readonly scored: readonly ScoredText[];
  /** Those that this teacher cannot score: too long for its context, or without a token. */
  readonly refused: readonly RefusedDocument[];
}

export interface RefusedDocument {
  readonly delivered: DeliveredDocument;
  readonly reason: string;
}

/** Scores documents together; where one of them is none that can be scored, each alone. */
export async function scoreDocuments(
  scorer: Pick<Scorer, 'score'>,
  batch: readonly DeliveredDocument[],
  topK: number,
): Promise<ScoredDocuments> {
  try {
    const texts = batch.map(({ document }) => document.text);
    return { accepted: batch, scored: await scorer.score(texts, topK), refused: [] };
  } catch (error) {
    const reason = reasonOf(error);
    if (batch.length === 1) return { accepted: [], scored: [], refused: [{ delivered: batch[0], reason }] };
  }
  const each: ScoredDocuments[] = [];
  for (const delivered of batch) each.push(await scoreDocuments(scorer, [delivered], topK));
  return {
    accepted: each.flatMap(({ accepted }) => accepted),
    scored: each.flatMap(({ scored }) => scored),
    refused: each.flatMap(({ refused }) => refused),
  };
}

/** @throws what has nothing to do with the texts */
function reasonOf(error: unknown): string {
  if (error instanceof FuseMeshError && error.code === 'invalid_argument') return error.message;
  throw error;
}
