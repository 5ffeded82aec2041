/** B texts, padded to the longest, T tokens. Token t of text b stands in row b·T + t. */
export interface PaddedTexts {
  readonly length: number;
  /** [B · T] */
  readonly inputIds: Int32Array<ArrayBuffer>;
  /** [B · T]: 0, 1, 2, … in each text. */
  readonly positions: BigInt64Array<ArrayBuffer>;
  /** [B · T]: the token that follows in the text; 0 where none does. */
  readonly labels: Int32Array<ArrayBuffer>;
}

/** @param texts token ids of each */
export function padTexts(texts: readonly Int32Array[]): PaddedTexts {
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
  return { length, inputIds, positions, labels };
}
