import type { Session } from '../runtime/session.ts';
import { padTexts } from './padded-texts.ts';

/** Scores of B texts, padded to the longest, T tokens: row b·T + t is of the token after token t of text b. */
export interface PaddedScores {
  readonly length: number;
  /** [B · T × k] */
  readonly candidateIds: Int32Array;
  /** [B · T × k] natural logarithms. */
  readonly logProbabilities: Float32Array;
  /** [B · T] natural log-probability of the token that follows in the text. */
  readonly labelLogProbabilities: Float32Array;
}

/** Runs a model that has the inputs and outputs of both parts of ScoringModels on the token ids of texts. */
export async function scorePadded(
  session: Session,
  texts: readonly Int32Array[],
  topK: number,
): Promise<PaddedScores> {
  const { length, inputIds, positions, labels } = padTexts(texts);
  const results = await session.run({
    input_ids: { data: inputIds, shape: [texts.length, length] },
    position_ids: { data: positions, shape: [texts.length, length] },
    labels: { data: labels, shape: [labels.length, 1] },
    k: { data: BigInt64Array.of(BigInt(topK)), shape: [1] },
  });
  return {
    length,
    candidateIds: results['candidate_ids'] as Int32Array,
    logProbabilities: results['log_probabilities'] as Float32Array,
    labelLogProbabilities: results['label_log_probabilities'] as Float32Array,
  };
}
