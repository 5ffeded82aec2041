import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { expectTiles, texts } from '../../test/support/tokenizer-properties.ts';
import { Tokenizer } from './tokenizer.ts';

/** A tokenizer of the zoo with some parts of its file changed. */
async function variant(model: string, parts: object, modelParts: object = {}): Promise<Tokenizer> {
  const path = resolve(import.meta.dirname, `../../examples/zoo/${model}/tokenizer.json`);
  const json = JSON.parse(await readFile(path, 'utf8'));
  return Tokenizer.fromJson(JSON.stringify({ ...json, ...parts, model: { ...json.model, ...modelParts } }));
}

const byteLevel = { type: 'ByteLevel', trim_offsets: true, use_regex: true };
const kinds: [string, () => Promise<Tokenizer>][] = [
  [
    'byte-level BPE that puts a space in front',
    () => variant('orator', { pre_tokenizer: { ...byteLevel, add_prefix_space: true } }),
  ],
  [
    'byte-level BPE that composes characters (Qwen)',
    () => variant('orator', { normalizer: { type: 'NFC' } }),
  ],
  [
    'byte-level BPE that cuts digits apart',
    () =>
      variant('orator', {
        pre_tokenizer: {
          type: 'Sequence',
          pretokenizers: [
            { type: 'Digits', individual_digits: true },
            { ...byteLevel, add_prefix_space: false },
          ],
        },
      }),
  ],
  [
    'Llama BPE that puts a space before the first word only',
    () =>
      variant('novelist', {
        normalizer: null,
        pre_tokenizer: { type: 'Metaspace', replacement: '▁', prepend_scheme: 'first', split: false },
      }),
  ],
  [
    'Llama BPE that puts no space in front (Gemma)',
    () => variant('novelist', { normalizer: { type: 'Replace', pattern: { String: ' ' }, content: '▁' } }),
  ],
  ['BPE with unknown characters', () => variant('novelist', {}, { byte_fallback: false, fuse_unk: false })],
  ['Unigram that normalizes (T5)', () => variant('engineer', { normalizer: { type: 'NFKC' } })],
];

describe.each(kinds)('%s', (kind, create) => {
  test('spans tile any text', async () => {
    const tokenizer = await create();
    const first = (await tokenizer.encode('')).ids.length;
    const overlap = /normalizes|composes|unknown/.test(kind) ? 'allowed' : 'none';
    await fc.assert(
      fc.asyncProperty(texts, async (text) =>
        expectTiles(text, await tokenizer.encode(text), first, overlap),
      ),
      { numRuns: 150 },
    );
  });

  test('words keep their places', async () => {
    const tokenizer = await create();
    const text = 'The whale, of 1851.';
    const { ends } = await tokenizer.encode(text);
    for (const edge of ['The'.length, 'The whale'.length, 'The whale,'.length, text.length]) {
      expect(Array.from(ends)).toContain(edge);
    }
  });
});
