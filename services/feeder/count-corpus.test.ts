import { writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { expect, it } from 'vitest';
import { Tokenizer } from '../../model/tokenizer/tokenizer.ts';
import { temporaryDirectory } from '../../test/support/temporary-directory.ts';
import { countCorpus } from './count-corpus.ts';

it('counts what a run would be fed with, in the tokens of each model', async () => {
  const directory = await temporaryDirectory();
  const texts = Array.from({ length: 20 }, (_, i) => `Chapter ${i}. Call me Ishmael.`);
  const path = join(directory, 'a.jsonl');
  await writeFile(path, [...texts, ''].map((text) => JSON.stringify({ text })).join('\n'));
  const zoo = resolve(import.meta.dirname, '../../examples/zoo');
  const tokenizers = await Promise.all(
    ['orator', 'target'].map((model) => Tokenizer.fromFile(join(zoo, model, 'tokenizer.json'))),
  );
  const config = { corpus: [{ domain: 'sea', path, invalid: 'skip' as const }], contextLength: 64, seed: 1 };
  const reads: string[] = [];
  const { signal } = new AbortController();
  const counted = await countCorpus(config, tokenizers, {
    signal,
    onRead: (read, all) => reads.push(`${read}/${all}`),
  });
  const lengths = await Promise.all(
    tokenizers.map(async (tokenizer) => {
      const all = await tokenizer.encodeBatch(texts);
      return all.reduce((sum, { ids }) => sum + ids.length, 0);
    }),
  );
  const textBytes = Buffer.byteLength(texts.join(''));
  expect(counted).toMatchObject({ files: 1, texts: 20, documents: 20, textBytes, tokens: lengths });
  expect(counted.skipped.counts).toEqual({ empty: 1 });
  expect(new Set(counted.examples.map(({ text }) => text)).size).toBe(3);
  for (const { text } of counted.examples) expect(texts).toContain(text);
  const [read, all] = reads[reads.length - 1].split('/');
  expect(read).toBe(all);
});
