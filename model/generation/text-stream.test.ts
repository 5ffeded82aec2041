import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createTextStream } from './text-stream.ts';

/** Feeds growing prefixes of a text and joins what comes out. */
function streamed(pieces: readonly string[], stop: readonly string[]) {
  const stream = createTextStream(stop);
  const given: string[] = [];
  let text = '';
  for (const piece of pieces) {
    text += piece;
    const step = stream.advance(text);
    given.push(step.text);
    if (step.stopped !== undefined) return { given, stopped: step.stopped };
  }
  given.push(stream.end());
  return { given, stopped: undefined };
}

test('half a character is held back until it is whole', () => {
  const stream = createTextStream([]);
  expect(stream.advance('a\uFFFD').text).toBe('a');
  expect(stream.advance('a\uFFFD\uFFFD').text).toBe('');
  expect(stream.advance('aé').text).toBe('é');
});

test('what was never completed comes at the end', () => {
  const stream = createTextStream(['END']);
  expect(stream.advance('so E').text).toBe('so ');
  expect(stream.advance('so EN').text).toBe('');
  expect(stream.end()).toBe('EN');
});

test('the earliest stop string ends the text and is not given out', () => {
  expect(streamed(['one ', 'two\n', '\nthree'], ['\n\n', 'three'])).toEqual({
    given: ['one ', 'two', ''],
    stopped: '\n\n',
  });
});

test('any cut of any text gives the same text, up to the first stop string', () => {
  const letters = fc.string({ unit: fc.constantFrom('a', 'b', 'c'), maxLength: 4 });
  fc.assert(
    fc.property(
      fc.array(letters, { maxLength: 8 }),
      fc.array(
        letters.filter((string) => string.length > 0),
        { maxLength: 3 },
      ),
      (pieces, stop) => {
        const { given, stopped } = streamed(pieces, stop);
        const whole = pieces.join('');
        const ends = stop.map((string) => whole.indexOf(string)).filter((index) => index >= 0);
        expect(stopped !== undefined).toBe(ends.length > 0);
        const text = given.join('');
        if (stopped === undefined) expect(text).toBe(whole);
        else {
          expect(stop).toContain(stopped);
          expect(whole.startsWith(text + stopped)).toBe(true);
          expect(stop.some((string) => text.includes(string))).toBe(false);
        }
      },
    ),
  );
});
