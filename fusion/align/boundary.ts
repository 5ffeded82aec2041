/** Where tokens of one tokenization end in the text: [n] UTF-8 bytes, never falling. */
export type TokenEnds = Int32Array;

/** Marks a position of the target to which no row of the source belongs. */
export const NOT_ALIGNED = -1;

/**
 * Aligns two tokenizations of the same text by the boundaries that they share, to the byte.
 *
 * The distribution of a next token depends on the text before it alone. So where a token of the target ends
 * at the same offset as one of the source, the source's row there is valid for the target, whatever tokens
 * led to it. Where several tokens of one side end at one offset (no beginning of the text is read
 * after the others, or they have empty spans), only after the last of them has all of the text before the offset been read, so it alone counts.
 * Takes O(n + m).
 *
 * @param targetEnds [n]
 * @param sourceEnds [m]
 * @returns [n] the source's row for each row of the target, or {@link NOT_ALIGNED}
 */
export function alignByBoundary(targetEnds: TokenEnds, sourceEnds: TokenEnds): Int32Array<ArrayBuffer> {
  const rows = new Int32Array(targetEnds.length).fill(NOT_ALIGNED);
  let source = 0;
  for (let target = 0; target < targetEnds.length; target++) {
    const end = targetEnds[target];
    if (targetEnds[target + 1] === end) continue;
    while (source < sourceEnds.length && sourceEnds[source] <= end) source++;
    if (source > 0 && sourceEnds[source - 1] === end) rows[target] = source - 1;
  }
  return rows;
}

/** Alignment of a tokenization with itself: every row, those between the bytes of one character included. */
export function alignIdentically(tokens: number): Int32Array<ArrayBuffer> {
  const rows = new Int32Array(tokens);
  for (let row = 0; row < tokens; row++) rows[row] = row;
  return rows;
}
