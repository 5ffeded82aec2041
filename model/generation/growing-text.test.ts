import { join } from 'node:path';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { texts } from '../../test/support/tokenizer-properties.ts';
import { Tokenizer } from '../tokenizer/tokenizer.ts';
import { GrowingText } from './growing-text.ts';
import { createTextStream } from './text-stream.ts';

const zoo = join(import.meta.dirname, '..', '..', 'examples', 'zoo');
const load = (model: string) => Tokenizer.fromFile(join(zoo, model, 'tokenizer.json'));

it.each(['orator', 'novelist', 'engineer', 'target'])(
  'gives what all tokens decoded together give, whatever the tokenizer: %s',
  async (model) => {
    const tokenizer = await load(model);
    const { vocabularySize } = tokenizer;
    const specials = Array.from({ length: vocabularySize }, (_, id) => id).filter(
      (id) => tokenizer.tokenBytes(id) === undefined,
    );
    await fc.assert(
      fc.asyncProperty(texts, texts, fc.nat(), fc.nat(), async (prompt, answer, place, special) => {
        const [{ ids: before }] = await tokenizer.encodeBatch([`a ${prompt}`]);
        const [{ ids: behind }] = await tokenizer.encodeRendered([answer]);
        const added = [...behind];
        if (specials.length > 0)
          added.splice(place % (added.length + 1), 0, specials[special % specials.length]);
        const promptText = await tokenizer.decode(before);
        const growing = await GrowingText.after(before, tokenizer);
        const [ours, whole] = [createTextStream([]), createTextStream([])];
        const all = [...before];
        for (const id of added) {
          all.push(id);
          const text = (await tokenizer.decode(all)).slice(promptText.length);
          expect(ours.advance(await growing.add(id))).toEqual(whole.advance(text));
        }
        expect(ours.end()).toBe(whole.end());
      }),
      { numRuns: 60 },
    );
  },
);

it('decodes as few tokens for the last one as for the first', async () => {
  const tokenizer = await load('novelist');
  const [{ ids }] = await tokenizer.encodeBatch(['the sea and the ship '.repeat(40)]);
  let most = 0;
  const decoder = {
    decode(window: ArrayLike<number>) {
      most = Math.max(most, window.length);
      return tokenizer.decode(window);
    },
  };
  const growing = await GrowingText.after(ids.subarray(0, 20), decoder);
  for (const id of ids.subarray(20)) await growing.add(id);
  expect(most).toBeLessThan(10);
});
