import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { alignByBoundary, alignIdentically, NOT_ALIGNED } from './boundary.ts';

/** Ends of tokens: never falling; equal neighbours stand for empty spans and bytes of one character. */
const tokenEnds = fc
  .array(fc.nat({ max: 3 }), { maxLength: 60 })
  .map((lengths) => Int32Array.from(lengths, sumUp()));

function sumUp(): (length: number) => number {
  let sum = 0;
  return (length) => {
    sum += length;
    return sum;
  };
}

describe('alignByBoundary', () => {
  it('aligns a position exactly when the offsets meet, to the last token that ends there', () => {
    fc.assert(
      fc.property(tokenEnds, tokenEnds, (target, teacher) => {
        const rows = alignByBoundary(target, teacher);
        expect(rows.length).toBe(target.length);
        for (const [position, end] of target.entries()) {
          const expected = target.lastIndexOf(end) === position ? teacher.lastIndexOf(end) : NOT_ALIGNED;
          expect(rows[position]).toBe(expected);
        }
      }),
    );
  });

  it('aligns a tokenization with itself row by row wherever the offset moves', () => {
    fc.assert(
      fc.property(tokenEnds, (ends) => {
        const rows = alignByBoundary(ends, ends);
        for (const [position, end] of ends.entries()) {
          expect(rows[position]).toBe(ends[position + 1] === end ? NOT_ALIGNED : position);
        }
      }),
    );
  });

  it('gives rising rows', () => {
    fc.assert(
      fc.property(tokenEnds, tokenEnds, (target, teacher) => {
        const aligned = alignByBoundary(target, teacher).filter((row) => row !== NOT_ALIGNED);
        for (let i = 1; i < aligned.length; i++) expect(aligned[i]).toBeGreaterThan(aligned[i - 1]);
      }),
    );
  });

  it('aligns "Un|believ|able" with "Unb|eliev|able" where both have read "Unbeliev" and the whole word', () => {
    expect([...alignByBoundary(Int32Array.of(0, 2, 8, 12), Int32Array.of(3, 8, 12))]).toEqual([-1, -1, 1, 2]);
  });

  it('takes time proportional to the number of tokens', () => {
    const tokens = 1_000_000;
    const ends = alignIdentically(tokens);
    const began = performance.now();
    const rows = alignByBoundary(ends, ends);
    expect(performance.now() - began).toBeLessThan(2_000);
    expect(Buffer.compare(new Uint8Array(rows.buffer), new Uint8Array(ends.buffer))).toBe(0);
  });
});

describe('alignIdentically', () => {
  it('gives every row itself', () => {
    expect([...alignIdentically(4)]).toEqual([0, 1, 2, 3]);
  });
});
