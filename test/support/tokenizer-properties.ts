import fc from 'fast-check';
import { expect } from 'vitest';
import type { Tokenization } from '../../model/tokenizer/tokenization.ts';
import type { Tokenizer } from '../../model/tokenizer/tokenizer.ts';

/** Texts that are hard for tokenizers: runs of blanks, marks, joined emoji, ligatures, any code point. */
export const texts = fc
  .array(
    fc.oneof(
      fc.constantFrom('the', ' whale', ' people', '\n', '\n\n', ' ', '   ', '\t', '.', '`npm`', 'a', 'B'),
      fc.constantFrom(
        'é',
        'e\u0301',
        '鯨',
        '🐳',
        '👩‍👩‍👧',
        '🏳️‍🌈',
        '—',
        'ﬁ',
        '▁',
        '\u00a0',
        'İ',
        '\u{10ffff}',
        '\0',
      ),
      fc.string({ unit: 'binary', maxLength: 4 }),
      fc.string({ unit: 'grapheme', maxLength: 4 }),
    ),
    { maxLength: 12 },
  )
  .map((parts) => parts.join(''));

/**
 * Checks that tokens from `first` on cover the text in order, without a gap.
 *
 * @param overlap whether neighbours may claim the same bytes: where a normalizer changed the text, or characters are
 *   unknown to the tokenizer
 */
export function expectTiles(
  text: string,
  { ids, starts, ends }: Tokenization,
  first: number,
  overlap: 'none' | 'allowed' = 'none',
): void {
  let reached = 0;
  for (let i = first; i < ids.length; i++) {
    if (starts[i] > reached) expect.fail(`gap before token ${i}`);
    if (starts[i] > ends[i]) expect.fail(`token ${i} ends before it begins`);
    if (i > first && starts[i] < starts[i - 1]) expect.fail(`token ${i} begins before the one before it`);
    if (ends[i] < reached) expect.fail(`token ${i} ends before the one before it`);
    if (starts[i] < reached && overlap === 'none') expect.fail(`token ${i} overlaps the one before it`);
    reached = ends[i];
  }
  if (ids.length > first) expect(reached).toBe(Buffer.byteLength(text));
}

/**
 * Checks the promise of a token's end: where it lies between characters and is the last there, the tokens so far spell
 * exactly the normal form of the text before it.
 *
 * @returns how many ends were checked
 */
export function expectRead(
  tokenizer: Pick<Tokenizer, 'tokenBytes'>,
  text: string,
  { ids, ends }: Tokenization,
  normalize: (text: string) => string,
): number {
  const bytes = Buffer.from(text);
  const spaces = (spelt: string) => spelt.replaceAll('▁', ' ').replace(/^ +/, '');
  let spelt = '';
  let checked = 0;
  for (let i = 0; i < ids.length; i++) {
    spelt += tokenizer.tokenBytes(ids[i]) ?? '';
    const betweenCharacters = ends[i] === bytes.length || (bytes[ends[i]] & 0xc0) !== 0x80;
    if (ends[i] === ends[i + 1] || !betweenCharacters) continue;
    const read = normalize(bytes.subarray(0, ends[i]).toString());
    expect(
      spaces(Buffer.from(spelt, 'latin1').toString()),
      `after token ${i} of ${JSON.stringify(text)}`,
    ).toBe(spaces(read));
    checked++;
  }
  return checked;
}
