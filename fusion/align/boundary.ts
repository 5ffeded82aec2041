/** Where tokens of one tokenization end in the text: [n] UTF-16 code units, never falling. */
export type TokenEnds = Int32Array;

/** Marks a position of the target for which a teacher says nothing. */
export const NOT_ALIGNED = -1;

/**
 * Aligns two tokenizations of the same text by the character boundaries that they share.
 *
 * The distribution of a next token depends on the text before it alone. So where a token of the target ends
 * at the same offset as one of the teacher, the teacher's row there is valid for the target, whatever tokens
 * led to it. Where several tokens of one side end at one offset (the bytes of one character, or empty
 * spans), only after the last of them has all of the text before the offset been read, so it alone counts.
 * Takes O(n + m).
 *
 * @param targetEnds [n]
 * @param teacherEnds [m]
 * @returns [n] the teacher's row for each row of the target, or {@link NOT_ALIGNED}
 */
export function alignByBoundary(targetEnds: TokenEnds, teacherEnds: TokenEnds): Int32Array<ArrayBuffer> {
  const rows = new Int32Array(targetEnds.length).fill(NOT_ALIGNED);
  let teacher = 0;
  for (let target = 0; target < targetEnds.length; target++) {
    const end = targetEnds[target];
    if (targetEnds[target + 1] === end) continue;
    while (teacher < teacherEnds.length && teacherEnds[teacher] <= end) teacher++;
    if (teacher > 0 && teacherEnds[teacher - 1] === end) rows[target] = teacher - 1;
  }
  return rows;
}

/** Alignment of a tokenization with itself: every row, those between the bytes of one character included. */
export function alignIdentically(tokens: number): Int32Array<ArrayBuffer> {
  const rows = new Int32Array(tokens);
  for (let row = 0; row < tokens; row++) rows[row] = row;
  return rows;
}
