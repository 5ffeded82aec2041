import { expect, test } from 'vitest';
import { spansFromOffsets } from './spans-from-offsets.ts';

const found = (text: string, offsets: [number, number][]) => {
  const { starts, ends } = spansFromOffsets(text, offsets, () => false);
  return { starts: [...starts], ends: [...ends] };
};

test('marks that no token claims go to the letter before, what else is unclaimed to the token behind', () => {
  // "cafe" + acute, a character that the normalizer drops, "s".
  const text = 'cafe\u0301\u200bs';
  const tokens: [number, number][] = [
    [0, 2],
    [2, 4],
    [6, 7],
  ];
  expect(found(text, tokens)).toEqual({ starts: [0, 2, 5], ends: [2, 5, 7] });
});

test('all tokens of a letter get its marks', () => {
  const tokens: [number, number][] = [
    [0, 1],
    [0, 1],
    [2, 3],
  ];
  expect(found('e\u0301s', tokens)).toEqual({ starts: [0, 0, 2], ends: [2, 2, 3] });
});

test('a token inside of a character that the next one goes on with ends with that one', () => {
  // Two characters in three tokens, of which the second has bytes of both.
  const tokens: [number, number][] = [
    [0, 1],
    [0, 2],
    [1, 2],
  ];
  expect(found('갔다', tokens)).toEqual({ starts: [0, 0, 1], ends: [2, 2, 2] });
});

test('offsets are code points, spans code units', () => {
  const tokens: [number, number][] = [
    [0, 1],
    [1, 2],
  ];
  expect(found('🐳a', tokens)).toEqual({ starts: [0, 2], ends: [2, 3] });
});
