import fc from 'fast-check';
import { expect, test } from 'vitest';
import { settleDoubtfulSpans } from './doubtful-spans.ts';

const bytesOf = (text: string | undefined) => text && Buffer.from(text).toString('latin1');

/** Tokens with the stretches that they claim. */
function settled(
  text: string,
  tokens: readonly (readonly [spelling: string | undefined, stretch: string])[],
) {
  let end = 0;
  const ends = Int32Array.from(tokens, ([, stretch]) => {
    end += stretch.length;
    return end;
  });
  const spans = { starts: Int32Array.of(0, ...ends.slice(0, -1)), ends };
  const doubtful = settleDoubtfulSpans(text, spans, (i) => bytesOf(tokens[i][0]));
  return { doubtful, ends: [...ends] };
}

test('what normalizers do to letters raises no doubt', () => {
  expect(
    settled('Ｔhe café  x²', [
      ['the', 'Ｔhe'],
      [' cafe', ' café'],
      [' x2', '  x²'],
    ]),
  ).toEqual({ doubtful: 0, ends: [3, 8, 12] });
});

test('unknown characters stand for what they claim', () => {
  expect(
    settled('a☃b', [
      ['a', 'a'],
      [undefined, '☃'],
      ['b', 'b'],
    ]).doubtful,
  ).toBe(0);
});

test('a token that spells something else ends with the next one that does not', () => {
  expect(
    settled('one two three', [
      ['one', 'one '],
      ['2', 'two'],
      [' three', ' three'],
    ]),
  ).toEqual({ doubtful: 1, ends: [4, 13, 13] });
  expect(
    settled('ab', [
      ['a', 'a'],
      ['x', 'b'],
    ]),
  ).toEqual({ doubtful: 1, ends: [1, 2] });
});

test('tokens of one character are looked at together', () => {
  const spans = { starts: Int32Array.of(0, 0, 1), ends: Int32Array.of(1, 1, 2) };
  expect(settleDoubtfulSpans('ﬁx', spans, (i) => ['f', 'i', 'x'][i])).toBe(0);
  expect([...spans.ends]).toEqual([1, 1, 2]);
});

test('ends never fall, and the last is that of the text', () => {
  const token = fc.tuple(fc.string({ maxLength: 3 }), fc.string({ minLength: 1, maxLength: 3 }));
  fc.assert(
    fc.property(fc.array(token, { minLength: 1, maxLength: 12 }), (tokens) => {
      const text = tokens.map(([, stretch]) => stretch).join('');
      const { ends } = settled(text, tokens);
      for (let i = 1; i < ends.length; i++) expect(ends[i]).toBeGreaterThanOrEqual(ends[i - 1]);
      expect(ends.at(-1)).toBe(text.length);
    }),
  );
});
