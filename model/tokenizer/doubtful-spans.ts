import type { Spans } from './spans-from-bytes.ts';

/**
 * Finds tokens whose place in the text is in doubt: they do not spell the text there, even allowing for what
 * a normalizer may do to letters (case, accents, compatibility forms) and spaces. The end of such a token
 * must not count as a boundary shared with another tokenization, so it moves to the end of the next token
 * that is not in doubt.
 *
 * @param spans in UTF-16 code units, changed in place
 * @param spelling the bytes that token i stands for, one character (U+0000 to U+00FF) a byte; undefined where it
 * stands for anything (unknown characters)
 * @returns how many tokens are in doubt
 */
export function settleDoubtfulSpans(
  text: string,
  { starts, ends }: Spans,
  spelling: (i: number) => string | undefined,
): number {
  let doubtful = 0;
  let pending = -1;
  for (let first = 0; first < ends.length; ) {
    // Tokens that overlap stand for one stretch together.
    let last = first;
    let end = ends[first];
    while (last + 1 < ends.length && starts[last + 1] < end) end = Math.max(end, ends[++last]);
    if (spells(first, last, text.slice(starts[first], end), spelling)) {
      if (pending >= 0) ends.fill(ends[first], pending, first);
      pending = -1;
    } else {
      doubtful += last - first + 1;
      if (pending < 0) pending = first;
    }
    first = last + 1;
  }
  if (pending >= 0) ends.fill(text.length, pending);
  return doubtful;
}

function spells(
  first: number,
  last: number,
  stretch: string,
  spelling: (i: number) => string | undefined,
): boolean {
  let spelt = '';
  for (let i = first; i <= last; i++) {
    const own = spelling(i);
    if (own === undefined) return true;
    spelt += own;
  }
  const [own, there] = [simplified(Buffer.from(spelt, 'latin1').toString()), simplified(stretch)];
  // What a normalizer drops may belong to the token after it.
  return own === there || (own !== '' && there.endsWith(own));
}

/** A text without what normalizers change: case, accents, compatibility forms and spaces. */
const simplified = (text: string): string =>
  text
    .normalize('NFKD')
    .replaceAll(/[\p{M}\s\p{Cf}\p{Cc}▁]/gu, '')
    .toLowerCase();
