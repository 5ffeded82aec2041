import fc from 'fast-check';
import { expect } from 'vitest';
import type { Tokenization } from '../../model/tokenizer/tokenization.ts';

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
 * @param shared what neighbours may both claim: a character whose bytes they are, or, where a normalizer
 *   changed the text, also a run of characters unknown to the tokenizer
 */
export function expectTiles(
  text: string,
  { ids, starts, ends }: Tokenization,
  first: number,
  shared: 'characters' | 'runs' = 'characters',
): void {
  let reached = 0;
  for (let i = first; i < ids.length; i++) {
    if (starts[i] > reached) expect.fail(`gap before token ${i}`);
    if (starts[i] > ends[i]) expect.fail(`token ${i} ends before it begins`);
    if (i > first && starts[i] < starts[i - 1]) expect.fail(`token ${i} begins before the one before it`);
    if (ends[i] < reached) expect.fail(`token ${i} ends before the one before it`);
    if (starts[i] < reached && shared === 'characters') {
      expect([...text.slice(starts[i], reached)]).toHaveLength(1);
    }
    for (const edge of [starts[i], ends[i]]) {
      if (/^[\udc00-\udfff]/.test(text.slice(edge))) expect.fail(`token ${i} cuts a surrogate pair`);
    }
    reached = ends[i];
  }
  if (ids.length > first) expect(reached).toBe(text.length);
}
