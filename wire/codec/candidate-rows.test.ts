import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bitsFor } from './bit-packing.ts';
import { packRows, unpackRows } from './candidate-rows.ts';

interface Rows {
  readonly topK: number;
  readonly idBits: number;
  readonly candidateIds: Int32Array;
  readonly logProbabilities: Float32Array;
}

/** What models say: k different ids a row, by falling probability, which sum to 1 at most; some rows have fewer. */
const rows: fc.Arbitrary<Rows> = fc
  .record({
    n: fc.integer({ min: 1, max: 12 }),
    topK: fc.integer({ min: 1, max: 60 }),
    vocabularySize: fc.integer({ min: 60, max: 2 ** 24 }),
  })
  .chain(({ n, topK, vocabularySize }) => {
    const row = fc.record({
      ids: fc.uniqueArray(fc.nat({ max: vocabularySize - 1 }), { minLength: topK, maxLength: topK }),
      scores: fc.array(fc.double({ min: -45, max: 0, noNaN: true }), { minLength: topK, maxLength: topK }),
      mass: fc.double({ min: 1e-3, max: 1, noNaN: true }),
      none: fc.nat({ max: topK - 1 }),
    });
    return fc.array(row, { minLength: n, maxLength: n }).map((all) => ({
      topK,
      idBits: bitsFor(vocabularySize),
      candidateIds: Int32Array.from(all.flatMap(({ ids }) => ids)),
      logProbabilities: Float32Array.from(
        all.flatMap(({ scores, mass, none }) => {
          const falling = scores
            .toSorted((a, b) => b - a)
            .map((score, j) => (j >= topK - none ? -Infinity : score));
          const sum = falling.reduce((before, score) => before + Math.exp(score), 0);
          return falling.map((score) => score + Math.log(mass / sum));
        }),
      ),
    }));
  });
const shares = fc.oneof(fc.constantFrom(1, 0.98, 1e-9), fc.double({ min: 0.01, max: 1, noNaN: true }));

const refuse = (what: string): never => {
  throw new Error(what);
};
/** As kept masses travel. */
const rounded = (mass: Float32Array) => mass.map((one) => Math.round(one * 65535) / 65535);

/** There and back. */
function sent(given: Rows, topP: number) {
  const packed = packRows(given, topP, given.idBits);
  const keptMass = rounded(packed.keptMass);
  return { ...packed, keptMass, ...unpackRows({ ...packed, keptMass }, given.topK, given.idBits, refuse) };
}

/** The candidates of a row by their ids. */
function candidatesOf(
  { candidateIds, logProbabilities }: Pick<Rows, 'candidateIds' | 'logProbabilities'>,
  row: number,
  topK: number,
) {
  const found = new Map<number, number>();
  for (let i = row * topK; i < (row + 1) * topK; i++) {
    if (logProbabilities[i] > -Infinity) found.set(candidateIds[i], logProbabilities[i]);
  }
  return found;
}

const massOf = (logProbabilities: Iterable<number>) =>
  [...logProbabilities].reduce((sum, one) => sum + Math.exp(one), 0);

describe('rows of candidates', () => {
  it('come back within 1/8 nat, the fewest that hold their share, sorted, and never with more mass than was sent', () => {
    fc.assert(
      fc.property(rows, shares, (given, topP) => {
        const { topK } = given;
        const back = sent(given, topP);
        for (let row = 0; row < back.keptMass.length; row++) {
          const before = candidatesOf(given, row, topK);
          const after = candidatesOf(back, row, topK);
          // Of equals the lower id comes first.
          const exact = [...after.keys()].map((id) => before.get(id)!);
          const falling = exact.toSorted((a, b) => b - a);
          const whole = massOf(before.values());
          const kept = massOf(exact);

          // They are the likeliest ones, and with one fewer they would not hold the share.
          expect(falling).toEqual([...before.values()].slice(0, after.size));
          const least = falling.at(-1)!;
          const next = [...before.values()][after.size];
          const reached = kept >= topP * whole * (1 - 1e-9);
          expect(reached || next === undefined || falling[0] - next > 31.9).toBe(true);
          expect(after.size === 1 || kept - Math.exp(least) < topP * whole * (1 + 1e-9)).toBe(true);

          const values = [...after.values()];
          const unit = 0.51 / 65535;
          for (const [j, value] of values.entries()) {
            expect(Math.abs(value - exact[j])).toBeLessThanOrEqual(1 / 8 + unit / kept + 2e-6);
          }
          expect(values).toEqual(values.toSorted((a, b) => b - a));
          expect(massOf(values)).toBeLessThanOrEqual(Math.min(1, back.keptMass[row]));
          expect(Math.abs(massOf(values) - kept)).toBeLessThanOrEqual(unit + 2e-6);
        }
      }),
    );
  });

  it('are filled up with an id of the row that has no probability', () => {
    const given = {
      topK: 4,
      idBits: 5,
      candidateIds: Int32Array.of(9, 3, 20, 7),
      logProbabilities: Float32Array.of(-0.5, -1.5, -4, -6),
    };
    const { candidateIds, logProbabilities, keptMass } = sent(given, 0.9);
    expect([...candidateIds]).toEqual([9, 3, 9, 9]);
    expect([...logProbabilities.subarray(2)]).toEqual([-Infinity, -Infinity]);
    expect(keptMass[0]).toBeCloseTo(Math.exp(-0.5) + Math.exp(-1.5), 4);
  });

  it('are packed to the same bytes again', () => {
    fc.assert(
      fc.property(rows, shares, (given, topP) => {
        const once = sent(given, topP);
        const twice = sent({ ...given, ...once }, 1);
        expect(Buffer.compare(twice.candidates, once.candidates)).toBe(0);
        expect(twice.keptMass).toEqual(once.keptMass);
        expect(twice.logProbabilities).toEqual(once.logProbabilities);
      }),
    );
  });

  it('that are not finite and falling come to nobody', () => {
    for (const wrong of [
      [Number.NaN, -1],
      [-1, Number.NaN],
      [-2, -1],
      [Number.POSITIVE_INFINITY, -1],
      [Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY],
    ]) {
      const given = {
        topK: 2,
        idBits: 4,
        candidateIds: Int32Array.of(3, 5),
        logProbabilities: Float32Array.from(wrong),
      };
      expect(() => sent(given, 1)).toThrow('kept_mass is 0 after token 0');
    }
  });

  it('have each id once, in as many bits as there are', () => {
    const pack = (ids: number[], idBits = 4) =>
      packRows(
        { topK: 2, candidateIds: Int32Array.from(ids), logProbabilities: Float32Array.of(-1, -2) },
        1,
        idBits,
      );
    expect(() => pack([3, 3])).toThrow('3 stands twice in a row of candidates');
    expect(() => pack([3, 16])).toThrow('16 does not fit into 4 bits');
    expect(() => pack([-1, 3])).toThrow('-1 does not fit into 4 bits');
    expect(() => pack([1, 3], 25)).toThrow('ids have 25 bits, more than 24');
  });

  it('are refused when damaged, or are rows all the same', () => {
    fc.assert(
      fc.property(rows, fc.infiniteStream(fc.nat()), fc.nat({ max: 3 }), (given, random, cut) => {
        const { topK, idBits } = given;
        const { candidates, keptMass } = sent(given, 0.95);
        const damaged = candidates.slice(0, candidates.length - Math.min(cut, candidates.length));
        for (let times = 0; times < 3 && damaged.length > 0; times++) {
          damaged[random.next().value! % damaged.length] ^= 1 << (random.next().value! % 8);
        }
        try {
          const { candidateIds, logProbabilities } = unpackRows(
            { candidates: damaged, keptMass },
            topK,
            idBits,
            refuse,
          );
          for (let row = 0; row < keptMass.length; row++) {
            const ids = candidateIds.subarray(row * topK, (row + 1) * topK);
            const values = logProbabilities.subarray(row * topK, (row + 1) * topK);
            expect(massOf(values)).toBeLessThanOrEqual(keptMass[row]);
            expect(ids.every((id) => id >= 0 && id < 2 ** idBits)).toBe(true);
            expect(values.every((value, j) => j === 0 || value <= values[j - 1])).toBe(true);
          }
        } catch (error) {
          expect((error as Error).message).toMatch(/^candidates (has|ends)/);
        }
      }),
      { numRuns: 300 },
    );
  });

  it('of nothing but zeros or ones are refused at once', () => {
    const keptMass = new Float32Array(1000).fill(1);
    for (const byte of [0x00, 0xff]) {
      const candidates = new Uint8Array(100_000).fill(byte);
      expect(() => unpackRows({ candidates, keptMass }, 50, 16, refuse)).toThrow(/^candidates (has|ends)/);
    }
  });
});
