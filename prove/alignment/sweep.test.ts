import { expect, test } from 'vitest';
import { loadRealTokenizer, type RealTokenizer } from '../../test/support/real-tokenizer.ts';
import { type SweptTokenizer, sweep } from './sweep.ts';
import { textsOfSweep } from './texts.ts';

const some: readonly RealTokenizer[] = ['gpt2', 'llama2', 'internlm2', 'engineer'];

test('tokenizers of several kinds are aligned only where both have read the same text', {
  timeout: 120_000,
}, async () => {
  const tokenizers = new Map(some.map((name) => [name, () => loadRealTokenizer(name)]));
  const { pairs, aligned, wrong } = await sweep(tokenizers, textsOfSweep);
  expect(wrong).toEqual([]);
  expect(pairs).toBe(12);
  expect(aligned).toBeGreaterThan(5_000);
});

test('a position that is aligned with other text is found', async () => {
  const gpt2 = await loadRealTokenizer('gpt2');
  const shifted: SweptTokenizer = {
    normalize: (text) => gpt2.normalize(text),
    encode: (text: string) => gpt2.encode(text),
    decode: (ids: ArrayLike<number>) => gpt2.decode(ids),
    tokenBytes: (id: number) => gpt2.tokenBytes(id),
    encodeBatch: async (texts: readonly string[]) =>
      (await gpt2.encodeBatch(texts)).map((tokenization) => ({
        ...tokenization,
        // Each token claims to end where the next one does.
        ends: tokenization.ends.map((_, i, ends) => ends[Math.min(i + 1, ends.length - 1)]),
      })),
  };
  const tokenizers = new Map<string, () => Promise<SweptTokenizer>>([
    ['right', async () => gpt2],
    ['shifted', async () => shifted],
  ]);
  const { wrong } = await sweep(tokenizers, ['The quick brown fox.']);
  expect(wrong.length).toBeGreaterThan(2);
});
