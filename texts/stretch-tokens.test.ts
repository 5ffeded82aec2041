import { readFile } from 'node:fs/promises';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { Tokenizer } from '../model/tokenizer/tokenizer.ts';
import { cutBefore } from './cut.ts';
import { splitAndCount } from './split-text.ts';
import { StretchTokens } from './stretch-tokens.ts';

const zoo = new URL('../examples/zoo/', import.meta.url).pathname;
const models = ['orator', 'novelist', 'engineer', 'target'];
let tokenizers: Tokenizer[];
let corpus: string;
beforeAll(async () => {
  tokenizers = await Promise.all(models.map((model) => Tokenizer.fromFile(`${zoo}${model}/tokenizer.json`)));
  const names = ['fiction', 'manuals', 'speeches'];
  corpus = (await Promise.all(names.map((name) => readFile(`${zoo}corpus/${name}.txt`, 'utf8')))).join('');
});

/** What may be tokenized otherwise when it is cut: rows of one kind, and what tokenizers write in another way. */
const oddities = [
  ...[
    '1234567890',
    '0',
    'a',
    'ABCdef',
    ' ',
    '\n',
    '\t',
    '=',
    '!?',
    '—',
    '日本語の文章です。',
    'नमस्ते ',
    '👩‍🚀🇩🇪',
  ],
  ...['não\u00a0', 'e\u0301', 'x̧̌̂', '<s>', '</s>', '<|endoftext|>', '▁', 'ﬁﷺ', '\ufffd', 'the  ', '\r\n\r\n'],
];
/** Stretches of real text with oddities between them. */
const texts = fc
  .array(
    fc.oneof(
      fc
        .tuple(fc.double({ min: 0, max: 0.99, noNaN: true }), fc.nat(500))
        .map(([where, length]) => (all: string) => {
          const begin = Math.floor(where * all.length);
          return all.slice(begin, begin + length);
        }),
      fc.tuple(fc.constantFrom(...oddities), fc.oneof(fc.nat(3), fc.nat(100))).map(
        ([odd, times]) =>
          () =>
            odd.repeat(times),
      ),
      fc.string({ unit: 'grapheme', maxLength: 40 }).map((text) => () => text),
    ),
    { maxLength: 30 },
  )
  .map((parts) => (all: string) => parts.map((part) => part(all)).join(''));

/** As splitAndCount cut before it read stretches: every attempt is tokenized as a whole. */
async function splitByWholes(text: string, contextLength: number) {
  const pieces: { text: string; tokens: number[] }[] = [];
  let attempt = contextLength * 4;
  for (let begin = 0; begin < text.length; ) {
    const rest = text.slice(begin, begin + 2 * attempt);
    const isLast = begin + rest.length === text.length;
    let length = Math.min(
      isLast && rest.length > attempt ? Math.ceil(rest.length / 2) : attempt,
      rest.length,
    );
    for (;;) {
      if (length < rest.length) length = cutBefore(rest, length);
      const piece = rest.slice(0, length);
      const encodings = await Promise.all(tokenizers.map((tokenizer) => tokenizer.encode(piece)));
      const tokens = encodings.map(({ ids }) => ids.length);
      const longest = Math.max(1, ...tokens);
      if (longest <= contextLength) {
        pieces.push({ text: piece, tokens });
        begin += length;
        attempt = Math.ceil(Math.max(contextLength, ((length * contextLength) / longest) * 1.1));
        break;
      }
      const fitting = encodings
        .filter(({ ids }) => ids.length > contextLength)
        .map(({ ends }) => charactersIn(piece, ends[contextLength - 1]));
      length = Math.max(1, Math.min(...fitting, length - 1));
    }
  }
  return pieces;
}

/** How many UTF-16 code units of a text are whole within its first bytes. */
function charactersIn(text: string, bytes: number): number {
  let units = 0;
  let read = 0;
  for (const character of text) {
    read += Buffer.byteLength(character);
    if (read > bytes) break;
    units += character.length;
  }
  return units;
}

describe('splitAndCount', () => {
  it('cuts and counts as one that tokenizes every attempt as a whole', async () => {
    await fc.assert(
      fc.asyncProperty(texts, fc.integer({ min: 20, max: 400 }), async (text, contextLength) => {
        const whole = text(corpus);
        expect(await splitAndCount(whole, tokenizers, contextLength)).toEqual(
          await splitByWholes(whole, contextLength),
        );
      }),
      { numRuns: 80 },
    );
  });
});

describe('StretchTokens', () => {
  it('gives any stretches of a text as they are when they stand alone', async () => {
    const stretches = fc.array(
      fc.tuple(fc.integer({ min: 0, max: 900 }), fc.integer({ min: 1, max: 3000 })),
      {
        maxLength: 8,
      },
    );
    await fc.assert(
      fc.asyncProperty(texts, stretches, fc.nat(3), async (text, steps, model) => {
        const characters = Array.from(text(corpus));
        const tokens = new StretchTokens(characters.join(''), tokenizers[model]);
        const place = (character: number) => characters.slice(0, character).join('').length;
        let first = 0;
        for (const [step, length] of steps) {
          first += step;
          if (first >= characters.length) break;
          const piece = characters.slice(first, first + length).join('');
          const { ids, ends, byteBegin } = await tokens.read(place(first), place(first) + piece.length);
          const alone = await tokenizers[model].encode(piece);
          expect(ids).toEqual(alone.ids);
          expect(ends.map((end) => end - byteBegin)).toEqual(alone.ends);
        }
      }),
      { numRuns: 100 },
    );
  });

  it('tokenizes a long text about once', async () => {
    const text = corpus.slice(0, 60_000);
    let characters = 0;
    const counting = tokenizers.map((tokenizer) => ({
      encodeBatch: (parts: readonly string[]) => {
        characters += parts.join('').length;
        return tokenizer.encodeBatch(parts);
      },
    }));
    const all = counting.map((tokenizer) => new StretchTokens(text, tokenizer));
    for (let begin = 0; begin < text.length; ) {
      const end = Math.min(begin + 6_600, text.length);
      await Promise.all(all.map((tokens) => tokens.read(begin, end)));
      const shorter = end < text.length ? begin + 6_000 : end;
      await Promise.all(all.map((tokens) => tokens.read(begin, shorter)));
      begin = shorter;
    }
    expect(characters / text.length / tokenizers.length).toBeLessThan(1.05);
  });
});
