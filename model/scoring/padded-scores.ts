import type { Session } from '../runtime/session.ts';

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

/** Runs a model with the inputs and outputs of scoring-graph.ts on the token ids of texts. */
export async function scorePadded(
  session: Session,
  texts: readonly Int32Array[],
  topK: number,
): Promise<PaddedScores> {
  const length = Math.max(...texts.map((ids) => ids.length));
  const size = texts.length * length;
  const inputIds = new Int32Array(size);
  const labels = new Int32Array(size);
  const positions = new BigInt64Array(size);
  texts.forEach((ids, row) => {
    inputIds.set(ids, row * length);
    labels.set(ids.subarray(1), row * length);
    for (let t = 0; t < length; t++) positions[row * length + t] = BigInt(t);
  });
  const results = await session.run({
    input_ids: { data: inputIds, shape: [texts.length, length] },
    position_ids: { data: positions, shape: [texts.length, length] },
    labels: { data: labels, shape: [size, 1] },
    k: { data: BigInt64Array.of(BigInt(topK)), shape: [1] },
  });
  return {
    length,
    candidateIds: results['candidate_ids'] as Int32Array,
    logProbabilities: results['log_probabilities'] as Float32Array,
    labelLogProbabilities: results['label_log_probabilities'] as Float32Array,
  };
}
