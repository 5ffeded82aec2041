import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { Tokenizer } from '../model/tokenizer/tokenizer.ts';
import { cutBefore } from './cut.ts';
import { splitText } from './split-text.ts';

const models = ['orator', 'novelist', 'engineer', 'target'];
let tokenizers: Tokenizer[];
beforeAll(async () => {
  tokenizers = await Promise.all(
    models.map((model) =>
      Tokenizer.fromFile(new URL(`../examples/zoo/${model}/tokenizer.json`, import.meta.url).pathname),
    ),
  );
});

async function lengths(piece: string): Promise<number[]> {
  return Promise.all(tokenizers.map(async (tokenizer) => (await tokenizer.encode(piece)).ids.length));
}

const words = fc
  .array(
    fc.oneof(
      fc.constantFrom(
        'the ',
        'ice',
        ' floe',
        '. ',
        '.\n\n',
        '\n',
        '   ',
        '"Yes," she said. ',
        'não ',
        '日本語。',
        '👩‍🚀',
      ),
      fc.string({ unit: 'grapheme', maxLength: 12 }),
    ),
    { maxLength: 150 },
  )
  .map((parts) => parts.join(''));

describe('splitText', () => {
  it('keeps every tokenizer within the context and loses nothing', async () => {
    await fc.assert(
      fc.asyncProperty(words, fc.integer({ min: 16, max: 64 }), async (text, contextLength) => {
        const pieces = await splitText(text, tokenizers, contextLength);
        expect(pieces.join('')).toBe(text);
        for (const piece of pieces) {
          expect(piece).not.toBe('');
          expect(Buffer.from(piece).toString()).toBe(piece);
          expect(Math.max(...(await lengths(piece)))).toBeLessThanOrEqual(contextLength);
        }
      }),
      { numRuns: 60 },
    );
  });

  it('fills the context well and cuts behind sentences', async () => {
    const sentence =
      'Whenever it is a damp, drizzly November in my soul, I account it high time to get to sea. ';
    const text = sentence.repeat(60);
    const pieces = await splitText(text, tokenizers, 128);
    const longest = await Promise.all(pieces.map(async (piece) => Math.max(...(await lengths(piece)))));
    expect(longest.reduce((sum, length) => sum + length) / (128 * pieces.length)).toBeGreaterThan(0.6);
    for (const piece of pieces.slice(0, -1)) expect(piece.trimEnd()).toMatch(/\.$/);
  });

  it('leaves a text that fits in one piece, and gives none for an empty one', async () => {
    expect(await splitText('One floe.', tokenizers, 64)).toEqual(['One floe.']);
    expect(await splitText('', tokenizers, 64)).toEqual([]);
  });
});

describe('cutBefore', () => {
  it('prefers paragraphs to sentences to spaces', () => {
    expect(cutBefore('One. Two.\n\nThree. Four', 14)).toBe('One. Two.\n\n'.length);
    expect(cutBefore('One. Two. Three four', 15)).toBe('One. Two.'.length);
    expect(cutBefore('one two three four', 15)).toBe('one two three'.length);
    expect(cutBefore('onetwothreefour', 10)).toBe(10);
  });

  it('cuts through no character of two code units', () => {
    expect(cutBefore('a👍👍', 2)).toBe(1);
    expect(cutBefore('👍👍', 1)).toBe(2);
  });
});
