import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { temporaryDirectory } from '../../test/support/temporary-directory.ts';
import { zooEncoder } from '../../test/support/zoo-encoder.ts';
import { countCorpus } from './count-corpus.ts';

it('counts what a run would be fed with, in the tokens of each model', async () => {
  const directory = await temporaryDirectory();
  const texts = Array.from({ length: 20 }, (_, i) => `Chapter ${i}. Call me Ishmael.`);
  const path = join(directory, 'a.jsonl');
  await writeFile(path, [...texts, ''].map((text) => JSON.stringify({ text })).join('\n'));
  const encoders = [await zooEncoder('orator'), await zooEncoder('target')];
  const config = { corpus: [{ domain: 'sea', path, invalid: 'skip' as const }], contextLength: 64, seed: 1 };
  const reads: string[] = [];
  const { signal } = new AbortController();
  const counted = await countCorpus(config, encoders, {
    signal,
    onRead: (read, all) => reads.push(`${read}/${all}`),
  });
  const lengths = await Promise.all(
    encoders.map(async (encoder) => {
      const all = await encoder.encodeBatch(texts);
      return all.reduce((sum, { ids }) => sum + ids.length, 0);
    }),
  );
  const textBytes = Buffer.byteLength(texts.join(''));
  expect(counted).toMatchObject({
    files: 1,
    texts: 20,
    documents: 20,
    textBytes,
    tokens: lengths,
    learnt: lengths,
  });
  expect(counted.skipped.counts).toEqual({ empty: 1 });
  expect(new Set(counted.examples.map(({ content }) => content)).size).toBe(3);
  for (const { content } of counted.examples) expect(texts).toContain(content);
  const [read, all] = reads[reads.length - 1].split('/');
  expect(read).toBe(all);
});
