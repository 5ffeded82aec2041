import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { expectTiles, texts } from '../../test/support/tokenizer-properties.ts';
import { Tokenizer } from './tokenizer.ts';

const zoo = resolve(import.meta.dirname, '../../examples/zoo');

/** A tokenizer that changes the text before it cuts it, and has characters that it does not know. */
const lowercaseWords = {
  version: '1.0',
  added_tokens: [
    {
      id: 0,
      content: '[UNK]',
      special: true,
      single_word: false,
      lstrip: false,
      rstrip: false,
      normalized: false,
    },
  ],
  normalizer: { type: 'BertNormalizer', clean_text: true, handle_chinese_chars: true, lowercase: true },
  pre_tokenizer: { type: 'BertPreTokenizer' },
  decoder: { type: 'WordPiece', prefix: '##', cleanup: true },
  model: {
    type: 'WordPiece',
    unk_token: '[UNK]',
    continuing_subword_prefix: '##',
    max_input_chars_per_word: 100,
    vocab: { '[UNK]': 0, a: 1, '##a': 2, b: 3, '##b': 4, cafe: 5, '.': 6, '!': 7, the: 8 },
  },
};

const tokenizers = new Map<string, Tokenizer>();
beforeAll(async () => {
  for (const [kind, model] of [
    ['byte-level BPE', 'orator'],
    ['Llama-style BPE', 'novelist'],
    ['Unigram', 'engineer'],
  ]) {
    tokenizers.set(kind, await Tokenizer.fromFile(join(zoo, model, 'tokenizer.json')));
  }
  tokenizers.set('lower-casing WordPiece', Tokenizer.fromJson(JSON.stringify(lowercaseWords)));
});
const lossless = ['byte-level BPE', 'Llama-style BPE', 'Unigram'];
const kinds = [...lossless, 'lower-casing WordPiece'];

/** The text that tokens spell. */
const spell = (tokenizer: Tokenizer, ids: Int32Array) =>
  Buffer.from(Array.from(ids, (id) => tokenizer.tokenBytes(id) ?? '').join(''), 'latin1').toString();

describe.each(kinds)('spans of %s', (kind) => {
  test('tile any text', async () => {
    const tokenizer = tokenizers.get(kind)!;
    const first = kind === 'Llama-style BPE' ? 1 : 0;
    const overlap = kind === 'lower-casing WordPiece' ? 'allowed' : 'none';
    await fc.assert(
      fc.asyncProperty(texts, async (text) =>
        expectTiles(text, await tokenizer.encode(text), first, overlap),
      ),
      { numRuns: 300 },
    );
  });
});

describe.each(lossless)('tokens of %s', (kind) => {
  test('spell the text, up to a space that is put in front', async () => {
    const tokenizer = tokenizers.get(kind)!;
    await fc.assert(
      fc.asyncProperty(texts, async (raw) => {
        const text = raw.replaceAll('▁', '_');
        const { ids, starts, ends } = await tokenizer.encode(text);
        expect(spell(tokenizer, ids).replace(/^ +/, '')).toBe(text.replace(/^ +/, ''));
        for (let i = 0; i < ids.length; i++) {
          const token = spell(tokenizer, ids.subarray(i, i + 1)).trimStart();
          if (token !== '' && !token.includes('\ufffd'))
            expect(Buffer.from(text).subarray(starts[i], ends[i]).toString()).toContain(token);
        }
      }),
      { numRuns: 200 },
    );
  });
});

describe('special tokens', () => {
  test('<s> stands in front with an empty span, </s> is not put behind', async () => {
    const llama = await tokenizers.get('Llama-style BPE')!.encode('Call me');
    expect([llama.ids[0], llama.starts[0], llama.ends[0]]).toEqual([1, 0, 0]);
    expect(llama.ids).not.toContain(2);
    const unigram = await tokenizers.get('Unigram')!.encode('Call me');
    expect(unigram.ids).not.toContain(1);
    const gpt2 = await tokenizers.get('byte-level BPE')!.encode('Call me');
    expect(gpt2.ids).not.toContain(2999);
  });

  test('have no bytes, nor have ids without a token', () => {
    expect(tokenizers.get('Llama-style BPE')?.tokenBytes(1)).toBeUndefined();
    expect(tokenizers.get('byte-level BPE')?.tokenBytes(2999)).toBeUndefined();
    expect(tokenizers.get('byte-level BPE')?.tokenBytes(-1)).toBeUndefined();
    expect(tokenizers.get('byte-level BPE')?.tokenBytes(3000)).toBeUndefined();
  });

  test('an empty text has those in front alone', async () => {
    for (const kind of kinds) {
      const { ids } = await tokenizers.get(kind)!.encode('');
      expect([...ids]).toEqual(kind === 'Llama-style BPE' ? [1] : []);
    }
  });
});

test('a rendering has the special tokens that it spells, where it spells them, and no other', async () => {
  const tokenizer = tokenizers.get('Llama-style BPE')!;
  const [{ ids, starts, ends }] = await tokenizer.encodeRendered(['</s>a<s>']);
  const special = Array.from(ids, (id, i) => [id, starts[i], ends[i]]).filter(([id]) => id === 1 || id === 2);
  expect(special).toEqual([
    [2, 0, 4],
    [1, 5, 8],
  ]);
  const [plain] = await tokenizer.encodeRendered(['Call me']);
  expect(plain.ids).toEqual((await tokenizer.encode('Call me')).ids.slice(1));
});

test('tokens that are bytes of one character end inside of it', async () => {
  for (const kind of lossless) {
    const { ends } = await tokenizers.get(kind)!.encode('a🐳b');
    expect([...ends].slice(-6), kind).toEqual([1, 2, 3, 4, 5, 6]);
  }
});

test('the same bytes are the same token in every spelling', () => {
  const spaceWhale = (kind: string) => {
    const tokenizer = tokenizers.get(kind)!;
    return Array.from({ length: tokenizer.vocabularySize }, (_, id) => tokenizer.tokenBytes(id));
  };
  for (const kind of lossless) {
    expect(spaceWhale(kind)).toContain(' the');
    expect(spaceWhale(kind)).toContain('\n');
    expect(spaceWhale(kind)).toContain('\xf0');
  }
});

test('token strings are as the vocabulary spells them', () => {
  for (const [kind, mark] of [
    ['byte-level BPE', 'Ġ'],
    ['Llama-style BPE', '▁'],
    ['Unigram', '▁'],
  ] as const) {
    const tokenizer = tokenizers.get(kind)!;
    expect(tokenizer.spaceMark, kind).toBe(mark);
    const ids = Array.from({ length: tokenizer.vocabularySize }, (_, id) => id);
    const the = ids.find((id) => tokenizer.tokenBytes(id) === ' the')!;
    expect(tokenizer.tokenString(the), kind).toBe(`${mark}the`);
    expect(tokenizer.tokenString(-1), kind).toBeUndefined();
    expect(tokenizer.tokenString(tokenizer.vocabularySize), kind).toBeUndefined();
  }
  expect(tokenizers.get('Llama-style BPE')!.tokenString(1)).toBe('<s>');
  const words = tokenizers.get('lower-casing WordPiece')!;
  expect([words.spaceMark, words.tokenString(0), words.tokenString(2)]).toEqual(['', '[UNK]', '##a']);
});

test('a batch is as one by one, and decodes to the texts', async () => {
  const lines = ['Call me Ishmael.', '🐳 — two  spaces', 'npm install'];
  for (const kind of lossless) {
    const tokenizer = tokenizers.get(kind)!;
    const batch = await tokenizer.encodeBatch(lines);
    for (let i = 0; i < lines.length; i++) {
      expect(batch[i]).toEqual(await tokenizer.encode(lines[i]));
      expect(await tokenizer.decode(batch[i].ids)).toBe(lines[i]);
    }
  }
});

test('truncation and padding that the file asks for are off', async () => {
  const text = 'the a b '.repeat(20);
  const whole = Tokenizer.fromJson(JSON.stringify(lowercaseWords));
  const cut = Tokenizer.fromJson(
    JSON.stringify({
      ...lowercaseWords,
      truncation: { max_length: 4, strategy: 'LongestFirst', stride: 0, direction: 'Right' },
      padding: { strategy: { Fixed: 99 }, direction: 'Right', pad_id: 0, pad_type_id: 0, pad_token: '[UNK]' },
    }),
  );
  expect((await cut.encode(text)).ids).toEqual((await whole.encode(text)).ids);
  expect(Buffer.from(cut.fingerprint).equals(whole.fingerprint)).toBe(false);
  expect(cut.fingerprint).toHaveLength(32);
});

describe('files that are no tokenizer', () => {
  let directory: string;
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'fusemesh-tokenizer-'));
  });
  afterAll(() => rm(directory, { recursive: true, force: true }));

  test.each(['', '{', '[]', '{"version": "1.0"}', '{"model": {"type": "Sideways"}}'])(
    '%j',
    async (content) => {
      const path = join(directory, 'tokenizer.json');
      await writeFile(path, content);
      await expect(Tokenizer.fromFile(path)).rejects.toMatchObject({
        name: 'FuseMeshError',
        code: 'invalid_argument',
        message: expect.stringMatching(new RegExp(`^${path} is not a tokenizer.*$`)),
      });
    },
  );

  test('a missing one', async () => {
    await expect(Tokenizer.fromFile(join(directory, 'none.json'))).rejects.toMatchObject({
      code: 'not_found',
    });
  });
});
