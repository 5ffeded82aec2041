import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { microBatches } from '../../engine/packing/micro-batches.ts';
import { Tokenizer } from '../../model/tokenizer/tokenizer.ts';
import { splitText } from '../../texts/split-text.ts';

const zoo = join(import.meta.dirname, '../../examples/zoo');
const contextLength = 256;
const documentsOfStep = 32;

it('computes next to no padding on real text', async () => {
  const names = ['target', 'orator', 'novelist', 'engineer'];
  const tokenizers = await Promise.all(
    names.map((name) => Tokenizer.fromFile(join(zoo, name, 'tokenizer.json'))),
  );
  const lengths: number[] = [];
  for (const domain of ['speeches', 'fiction', 'manuals']) {
    const text = await readFile(join(zoo, 'held-out', `${domain}.txt`), 'utf8');
    const pieces = await splitText(text, tokenizers, contextLength);
    lengths.push(...(await tokenizers[0].encodeBatch(pieces)).map(({ ids }) => ids.length));
  }
  let [real, computed, slots] = [0, 0, 0];
  for (let begin = 0; begin < lengths.length; begin += documentsOfStep) {
    const ofStep = lengths.slice(begin, begin + documentsOfStep);
    real += ofStep.reduce((sum, length) => sum + length, 0);
    for (const part of microBatches(ofStep, { contextLength, rowsAtOnce: 4, masked: true })) {
      computed += part.tokens;
      slots += part.rows * part.length;
    }
  }
  // Everything but attention works on the tokens alone; with a row for each document, 27 % would be padding.
  expect(1 - real / computed).toBeLessThan(0.01);
  expect(1 - real / slots).toBeLessThan(0.08);
});
