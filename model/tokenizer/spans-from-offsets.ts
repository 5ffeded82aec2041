import type { Spans } from './spans-from-bytes.ts';

/** Marks and the later letters of a Korean syllable, which a normalizer composes with what stands before them. */
const composed = /[\p{M}\u1160-\u11ff]+/uy;

/**
 * Turns the tokenizer's own offsets into spans that tile the text, for tokens that do not spell it letter by
 * letter because a normalizer changed it or a character is unknown. Of a stretch that no token claims, marks at its
 * beginning go to the token before, as their letter may have been composed with them; the rest goes to the token after
 * it, and at the end to the last token. A token that ends inside of a character that the next one goes on with ends
 * with that one.
 *
 * @param offsets [n] begin and end of each token, in code points
 * @param isSpace whether token i stands for one space alone: put in front of a text that has none, its
 *   offsets claim a letter
 * @returns in UTF-16 code units
 */
export function spansFromOffsets(
  text: string,
  offsets: readonly (readonly number[])[],
  isSpace: (i: number) => boolean,
): Spans {
  const starts = new Int32Array(offsets.length);
  const ends = new Int32Array(offsets.length);
  const goesOn = new Uint8Array(offsets.length);
  const unitOf = codeUnits(text);

  let previousStart = 0;
  let previousEnd = 0;
  for (let i = 0; i < offsets.length; i++) {
    let start = unitOf(offsets[i][0]);
    let end = unitOf(offsets[i][1]);
    if (isSpace(i) && start < end && !/\s/u.test(text.slice(start, end))) end = start;
    composed.lastIndex = previousEnd;
    if (i > 0 && start > previousEnd && composed.test(text)) {
      const marksEnd = Math.min(composed.lastIndex, start);
      for (let j = i - 1; j >= 0 && ends[j] === previousEnd; j--) ends[j] = marksEnd;
      previousEnd = marksEnd;
    }
    goesOn[i] = Number(start < previousEnd && end > previousEnd);
    end = Math.max(end, previousEnd);
    start = Math.max(Math.min(start, previousEnd), previousStart);
    starts[i] = start;
    ends[i] = end;
    previousStart = start;
    previousEnd = end;
  }
  if (ends.length > 0) ends[ends.length - 1] = text.length;
  for (let i = ends.length - 1; i > 0; i--) {
    if (goesOn[i] === 0) continue;
    const unread = ends[i - 1];
    for (let j = i - 1; j >= 0 && ends[j] === unread; j--) ends[j] = ends[i];
  }
  return { starts, ends };
}

/** Where the code point of a given number begins, in UTF-16 code units. */
function codeUnits(text: string): (codePoint: number) => number {
  if (!/[\u{10000}-\u{10ffff}]/u.test(text)) return (codePoint) => codePoint;
  const units: number[] = [];
  let unit = 0;
  for (const character of text) {
    units.push(unit);
    unit += character.length;
  }
  units.push(unit);
  return (codePoint) => units[codePoint];
}
