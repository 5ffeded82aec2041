/**
 * The documents of one optimizer step, back to back, without padding: N tokens in all. A token's row is the
 * target for the token after it.
 */
export interface TrainingBatch {
  /** [documents] tokens of each. */
  readonly lengths: readonly number[];
  /** K, candidates a fused distribution may have. */
  readonly candidates: number;
  /** [N] token ids. */
  readonly inputIds: Int32Array;
  /** [N] id of the token that follows; −1 where there is none (the last token of a document). */
  readonly labels: Int32Array;
  /** [N × K] token ids of the fused distribution; any valid id where the probability is 0. */
  readonly fusedIds: Int32Array;
  /** [N × K] its probabilities; a row of zeros where there is none (masked position). */
  readonly fusedProbabilities: Float32Array;
  /**
   * [N] tail mass of the fused distribution, which the target spreads over all other tokens as it does
   * itself.
   */
  readonly fusedTail: Float32Array;
  /** [N] 1 where the model wrote the document itself: there the fusion loss alone counts; left out, it wrote none. */
  readonly isRollout?: Uint8Array | undefined;
}

/** A batch of texts without fused distributions. */
export function textsAlone(texts: readonly Int32Array[], candidates: number): TrainingBatch {
  const lengths = texts.map(({ length }) => length);
  const tokens = lengths.reduce((sum, length) => sum + length, 0);
  const inputIds = new Int32Array(tokens);
  const labels = new Int32Array(tokens).fill(-1);
  let begin = 0;
  for (const ids of texts) {
    inputIds.set(ids, begin);
    labels.set(ids.subarray(1), begin);
    begin += ids.length;
  }
  return {
    lengths,
    candidates,
    inputIds,
    labels,
    fusedIds: new Int32Array(tokens * candidates),
    fusedProbabilities: new Float32Array(tokens * candidates),
    fusedTail: new Float32Array(tokens),
  };
}
