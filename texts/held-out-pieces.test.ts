import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { Tokenizer } from '../model/tokenizer/tokenizer.ts';
import { temporaryDirectory } from '../test/support/temporary-directory.ts';
import { heldOutPieces } from './held-out-pieces.ts';

const zoo = join(import.meta.dirname, '..', 'examples', 'zoo');

it('cuts texts for all tokenizers together, each piece under the label of its text', async () => {
  const directory = await temporaryDirectory();
  const texts = {
    sea: 'Call me Ishmael. Some years ago I went to sea. '.repeat(20),
    manual: 'cut - remove sections. ',
  };
  for (const [name, text] of Object.entries(texts)) await writeFile(join(directory, `${name}.txt`), text);
  const tokenizers = await Promise.all(
    ['orator', 'novelist'].map((model) => Tokenizer.fromFile(join(zoo, model, 'tokenizer.json'))),
  );
  const entries = Object.keys(texts).map((name) => ({ domain: name, path: join(directory, `${name}.txt`) }));
  const pieces = await heldOutPieces(entries, tokenizers, 32);
  expect(pieces.length).toBeGreaterThan(5);
  for (const [name, text] of Object.entries(texts)) {
    const own = pieces.filter(({ domain }) => domain === name);
    expect(own.map((piece) => piece.text).join('')).toBe(text);
  }
  for (const tokenizer of tokenizers) {
    const cut = await tokenizer.encodeBatch(pieces.map(({ text }) => text));
    expect(Math.max(...cut.map(({ ids }) => ids.length))).toBeLessThanOrEqual(32);
  }
});
