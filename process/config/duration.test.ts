import { expect, it } from 'vitest';
import { duration, milliseconds } from './duration.ts';

it.each([
  ['500ms', 500],
  ['30s', 30_000],
  ['1.5s', 1_500],
  ['2m', 120_000],
  ['1h', 3_600_000],
])('%s is %d ms', (text, expected) => {
  expect(milliseconds(duration.parse(text))).toBe(expected);
});

it.each(['30', 's', '30 s', '-3s', '30sec', ''])('"%s" is no time', (text) => {
  expect(duration.safeParse(text).success).toBe(false);
});
