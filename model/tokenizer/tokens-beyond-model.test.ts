import { cp, readFile, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { expect, test } from 'vitest';
import { temporaryDirectory } from '../../test/support/temporary-directory.ts';
import { Generator } from '../generation/generator.ts';
import { Scorer } from '../scoring/scorer.ts';
import { Tokenizer } from './tokenizer.ts';

const orator = resolve(import.meta.dirname, '../../examples/zoo/orator');
/** A model whose tokenizer was given a [PAD] that the model has no logit for. */
async function paddedModel() {
  const directory = await temporaryDirectory();
  await cp(orator, directory, { recursive: true });
  const path = join(directory, 'tokenizer.json');
  const json = JSON.parse(await readFile(path, 'utf8'));
  const { vocabularySize: size } = await Tokenizer.fromFile(path);
  const plain = { single_word: false, lstrip: false, rstrip: false, normalized: false, special: true };
  json.added_tokens.push({ id: size, content: '[PAD]', ...plain });
  await writeFile(path, JSON.stringify(json));
  return { directory, size };
}

test('an added token that no text has is no hindrance, and a text that has it is refused by its name', async () => {
  const { directory, size } = await paddedModel();
  const [plain, padded] = await Promise.all(
    [orator, directory].map((path) => Scorer.load(path, { topK: 4, threads: 1 })),
  );
  const [[right], [scored]] = await Promise.all([plain, padded].map((one) => one.score(['We the people.'])));
  expect(scored.tokenIds).toEqual(right.tokenIds);
  expect(scored.crossEntropy).toBe(right.crossEntropy);
  expect(padded.tokenizer.knownToModel).toBe(size);
  await expect(padded.score(['We the [PAD] people.'])).rejects.toMatchObject({
    code: 'invalid_argument',
    message: expect.stringContaining(
      `The text has the token "[PAD]" (${size}) of the tokenizer in ${directory}`,
    ),
  });
  await Promise.all([plain.close(), padded.close()]);
});

test('so is a prompt', async () => {
  const { directory } = await paddedModel();
  const generator = await Generator.load(directory, { threads: 1 });
  const request = { maxTokens: 1, temperature: 0, topP: 1, stop: [], seed: 0 };
  await expect(generator.generate({ ...request, prompt: 'We[PAD]' }).next()).rejects.toThrow('"[PAD]"');
  await generator.close();
});

test('a model with fewer tokens than the vocabulary itself is another one', async () => {
  const { directory, size } = await paddedModel();
  const tokenizer = await Tokenizer.fromFile(join(directory, 'tokenizer.json'));
  expect(() => tokenizer.expectModelOf(size - 1, directory)).toThrow('they do not belong together');
});
