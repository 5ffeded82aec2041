import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { domains, heldOutPath } from '../../examples/zoo/layout.ts';
import { Tokenizer } from '../../model/tokenizer/tokenizer.ts';
import { createRandom } from '../../test/support/random.ts';
import { splitText } from '../../texts/split-text.ts';

/** Token ids of the texts that are scored together. */
export type Batch = readonly (readonly number[])[];

/** The most tokens of a text. */
const contextLength = 256;
const textsPerBatch = 8;

/** A batch of each domain's held-out text, cut into documents as the feeder cuts a corpus. */
export async function heldOutBatches(directory: string): Promise<Batch[]> {
  const tokenizer = await Tokenizer.fromFile(join(directory, 'tokenizer.json'));
  return Promise.all(
    domains.map(async (domain) => {
      const pieces = await splitText(await readFile(heldOutPath(domain), 'utf8'), [tokenizer], contextLength);
      const tokenizations = await tokenizer.encodeBatch(pieces.slice(0, textsPerBatch));
      return tokenizations.map(({ ids }) => [...ids]);
    }),
  );
}

/** As many batches of random ids, with lengths like those of the feeder's documents. */
export function randomBatches(vocabularySize: number): Batch[] {
  const random = createRandom(4);
  const between = (least: number, most: number) => least + Math.floor(random() * (most - least));
  const text = () =>
    Array.from({ length: between(0.6 * contextLength, contextLength) }, () => between(0, vocabularySize));
  return domains.map(() => Array.from({ length: textsPerBatch }, text));
}
