import type { Spans } from './spans-from-bytes.ts';

/**
 * Turns the tokenizer's own offsets into spans that tile the text, for tokens that do not spell it letter by
 * letter because a normalizer changed it or a character is unknown. A stretch that no token claims goes to
 * the token after it, the rest at the end to the last token.
 *
 * @param offsets [n] begin and end of each token, in code points
 * @param isSpace whether token i stands for one space alone: put in front of a text that has none, its
 *   offsets claim a letter
 */
export function spansFromOffsets(
  text: string,
  offsets: readonly (readonly number[])[],
  isSpace: (i: number) => boolean,
): Spans {
  const starts = new Int32Array(offsets.length);
  const ends = new Int32Array(offsets.length);
  const unitOf = codeUnits(text);

  let previousStart = 0;
  let previousEnd = 0;
  for (let i = 0; i < offsets.length; i++) {
    let start = unitOf(offsets[i][0]);
    let end = unitOf(offsets[i][1]);
    if (isSpace(i) && start < end && !/\s/u.test(text.slice(start, end))) end = start;
    end = Math.max(end, previousEnd);
    start = Math.max(Math.min(start, previousEnd), previousStart);
    starts[i] = start;
    ends[i] = end;
    previousStart = start;
    previousEnd = end;
  }
  if (ends.length > 0) ends[ends.length - 1] = text.length;
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
