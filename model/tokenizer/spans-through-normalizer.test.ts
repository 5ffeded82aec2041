import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { expectRead } from '../../test/support/tokenizer-properties.ts';
import type { Tokenization } from './tokenization.ts';
import { Tokenizer } from './tokenizer.ts';

/** A tokenizer of the zoo that normalizes texts. */
async function normalizing(model: string, ...normalizers: object[]): Promise<Tokenizer> {
  const path = resolve(import.meta.dirname, `../../examples/zoo/${model}/tokenizer.json`);
  const json = JSON.parse(await readFile(path, 'utf8'));
  const all = json.normalizer ? [...normalizers, json.normalizer] : normalizers;
  return Tokenizer.fromJson(JSON.stringify({ ...json, normalizer: { type: 'Sequence', normalizers: all } }));
}

/** Texts as people type them on a Mac, in Korean letters, with ligatures and marks without a letter. */
const letters = fc.array(
  fc.oneof(
    fc.constantFrom('pří', 'tiếng', 'ça', 'で', 'ガ').map((word) => word.normalize('NFD')),
    fc.constantFrom('학교', '갔다').map((word) => word.normalize('NFD')),
    fc.constantFrom(
      'é',
      '학',
      'ﬁ',
      '①',
      'Å',
      'n',
      'the',
      ' ',
      '  ',
      '\n',
      ',',
      '🐳',
      '\u0301',
      'e\u0301\u0323',
    ),
  ),
  { maxLength: 10 },
);
const texts = letters.map((parts) => parts.join(''));

const inBytes = (text: string) => Buffer.byteLength(text);
/** Ends of tokens after which a beginning of the text has been read. */
const places = ({ ends }: Tokenization) => new Set(ends);

describe.each([
  [
    'NFC over bytes (Qwen)',
    () => normalizing('orator', { type: 'NFC' }),
    (text: string) => text.normalize('NFC'),
  ],
  [
    'NFKC over bytes',
    () => normalizing('orator', { type: 'NFKC' }),
    (text: string) => text.normalize('NFKC'),
  ],
  ['NFD over bytes', () => normalizing('orator', { type: 'NFD' }), (text: string) => text.normalize('NFD')],
  [
    'lower case and NFC over bytes',
    () => normalizing('orator', { type: 'Lowercase' }, { type: 'NFC' }),
    (text: string) => text.toLowerCase().normalize('NFC'),
  ],
  ['NFC over ▁', () => normalizing('novelist', { type: 'NFC' }), (text: string) => text.normalize('NFC')],
] as const)('%s', (_, create, normalize) => {
  test('a token that ends has read exactly what stands before', async () => {
    const tokenizer = await create();
    let checked = 0;
    await fc.assert(
      fc.asyncProperty(texts, async (text) => {
        const tokenization = await tokenizer.encode(text);
        expect(tokenization.doubtful).toBe(0);
        checked += expectRead(tokenizer, text, tokenization, normalize);
      }),
      { numRuns: 300 },
    );
    expect(checked).toBeGreaterThan(500);
  });
});

test('a mark belongs to the letter that it is composed with', async () => {
  const tokenizer = await normalizing('orator', { type: 'NFC' });
  const found = places(await tokenizer.encode('cafe\u0301 s'));
  expect(found.has(inBytes('cafe'))).toBe(false);
  expect(found.has(inBytes('cafe\u0301'))).toBe(true);
});

test('the letters of a Korean syllable that is composed belong together', async () => {
  const tokenizer = await normalizing('orator', { type: 'NFC' });
  const [first, second] = ['한', '국'].map((syllable) => syllable.normalize('NFD'));
  const found = places(await tokenizer.encode(`${first}${second}`));
  expect([...found].every((end) => end === inBytes(first) || end === inBytes(first + second))).toBe(true);
  expect(found.has(inBytes(first))).toBe(true);
});

test('where a normalizer drops a character, the token before it has read it', async () => {
  const drop = { type: 'Replace', pattern: { String: '\u200b' }, content: '' };
  const tokenizer = await normalizing('orator', drop);
  const found = places(await tokenizer.encode('one\u200b two'));
  expect(found.has(inBytes('one'))).toBe(false);
  expect(found.has(inBytes('one\u200b'))).toBe(true);
});

test('letters that a text changes nothing of keep the bytes inside them', async () => {
  const tokenizer = await normalizing('orator', { type: 'NFC' });
  // The mark sends the whole text through the normalizer; the whale is four tokens, a byte each.
  const { ends } = await tokenizer.encode('🐳e\u0301');
  expect([...ends].slice(0, 4)).toEqual([1, 2, 3, 4]);
});
