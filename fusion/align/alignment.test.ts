import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { alignBySharedBoundaries, alignWithItself, says } from './alignment.ts';
import { NOT_ALIGNED } from './boundary.ts';

/** A text of so many characters, cut at random: where its tokens end. */
const cuts = (length: number) =>
  fc
    .subarray(Array.from({ length: length - 1 }, (_, i) => i + 1))
    .map((inside) => Int32Array.from([...inside, length]));
const logProbability = fc.double({ min: -5, max: 0, noNaN: true });
const twoCuts = fc.integer({ min: 1, max: 30 }).chain((length) =>
  fc.record({
    target: cuts(length),
    source: cuts(length).chain((ends) =>
      fc.record({
        ends: fc.constant(ends),
        tokenLogProbabilities: fc
          .array(logProbability, { minLength: ends.length, maxLength: ends.length })
          .map((values) => Float32Array.from(values)),
      }),
    ),
  }),
);

describe('alignBySharedBoundaries', () => {
  it("chains exactly where the source's tokens fill the target's next one, and nowhere else", () => {
    fc.assert(
      fc.property(twoCuts, ({ target, source }) => {
        const { rows, kinds, chainedLogProbabilities } = alignBySharedBoundaries(target, source);
        for (let position = 0; position < target.length; position++) {
          const end = target[position + 1];
          const row = source.ends.indexOf(target[position]);
          expect(rows[position]).toBe(row === -1 ? NOT_ALIGNED : row);
          const inside = source.ends.filter((one) => one > target[position] && one <= end);
          const expected =
            row === -1 || end === undefined
              ? says.nothing
              : inside.length === 0 || inside[0] === end
                ? says.candidates
                : inside.at(-1) === end
                  ? says.chained
                  : says.beginning;
          expect(kinds[position]).toBe(expected);
          if (expected !== says.chained) continue;
          const steps = source.tokenLogProbabilities.slice(row + 1, row + 1 + inside.length);
          expect(chainedLogProbabilities[position]).toBeCloseTo(
            steps.reduce((sum, one) => sum + one, 0),
            4,
          );
        }
      }),
    );
  });

  it('looks at no row of the source beyond the text before a position', () => {
    fc.assert(
      fc.property(twoCuts, ({ target, source }) => {
        const { rows } = alignBySharedBoundaries(target, source);
        for (const [position, row] of rows.entries()) {
          if (row !== NOT_ALIGNED) expect(source.ends[row]).toBeLessThanOrEqual(target[position]);
        }
      }),
    );
  });

  it('chains the bytes of a character that the target has whole', () => {
    // "a€": the source writes € in three tokens, which all end behind it.
    const source = { ends: Int32Array.of(1, 2, 2, 2), tokenLogProbabilities: Float32Array.of(0, -1, -2, -3) };
    const { kinds, chainedLogProbabilities } = alignBySharedBoundaries(Int32Array.of(1, 2), source);
    expect([...kinds]).toEqual([says.chained, says.nothing]);
    expect(chainedLogProbabilities[0]).toBe(-6);
    // Where both write bytes, candidates are bytes too.
    expect(alignBySharedBoundaries(Int32Array.of(1, 2, 2, 2), source).kinds[0]).toBe(says.candidates);
  });
});

describe('alignWithItself', () => {
  it('takes every row but that of the last token, which nothing follows', () => {
    const { rows, kinds } = alignWithItself(3);
    expect([...rows]).toEqual([0, 1, 2]);
    expect([...kinds]).toEqual([says.candidates, says.candidates, says.nothing]);
  });
});
