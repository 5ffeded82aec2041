import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { temporaryDirectory } from '../test/support/temporary-directory.ts';
import { zooEncoder } from '../test/support/zoo-encoder.ts';
import { heldOutPieces } from './held-out-pieces.ts';

it('cuts texts for all tokenizers together, each piece under the label of its text', async () => {
  const directory = await temporaryDirectory();
  const texts = {
    sea: 'Call me Ishmael. Some years ago I went to sea. '.repeat(20),
    manual: 'cut - remove sections. ',
  };
  for (const [name, text] of Object.entries(texts)) await writeFile(join(directory, `${name}.txt`), text);
  const encoders = [await zooEncoder('orator'), await zooEncoder('novelist')];
  const entries = Object.keys(texts).map((name) => ({ domain: name, path: join(directory, `${name}.txt`) }));
  const pieces = await heldOutPieces(entries, { encoders, contextLength: 32 }, () => undefined);
  expect(pieces.length).toBeGreaterThan(5);
  for (const [name, text] of Object.entries(texts)) {
    const own = pieces.filter(({ domain }) => domain === name);
    expect(own.map(({ content }) => content).join('')).toBe(text);
  }
  for (const encoder of encoders) {
    const cut = await encoder.encodeBatch(pieces.map(({ content }) => content));
    expect(Math.max(...cut.map(({ ids }) => ids.length))).toBeLessThanOrEqual(32);
  }
});
