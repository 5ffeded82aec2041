import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { plainEditDistance } from '../../test/support/plain-edit-distance.ts';
import { EditDistance, leastDistance, symbolSet } from './edit-distance.ts';
import { packStrings } from './token-strings.ts';

function distance(editDistance: EditDistance, a: string, b: string, atMost?: number): number {
  const { points, offsets } = packStrings([a, b]);
  editDistance.start(points, offsets[0], offsets[1]);
  return editDistance.to(points, offsets[1], offsets[2], atMost);
}

/** Few different characters, some beyond U+FFFF, so that strings have much in common. */
const strings = (maxLength: number) =>
  fc.string({ unit: fc.constantFrom('a', 'b', 'Ġ', '中', '🐳'), maxLength });

describe('EditDistance', () => {
  it.each([12, 32, 33, 150])('is that of the plain dynamic programme, up to %i code points', (maxLength) => {
    const editDistance = new EditDistance();
    fc.assert(
      fc.property(strings(maxLength), strings(maxLength), (a, b) => {
        expect(distance(editDistance, a, b)).toBe(plainEditDistance([...a], [...b]));
      }),
      { numRuns: 400 },
    );
  });

  it('of one pattern to many strings is that of each pair', () => {
    fc.assert(
      fc.property(strings(70), fc.array(strings(70), { maxLength: 8 }), (pattern, others) => {
        const { points, offsets } = packStrings([pattern, ...others]);
        const editDistance = new EditDistance();
        editDistance.start(points, 0, offsets[1]);
        for (const [i, other] of others.entries()) {
          const expected = plainEditDistance([...pattern], [...other]);
          expect(editDistance.to(points, offsets[i + 1], offsets[i + 2])).toBe(expected);
        }
      }),
    );
  });

  it('stops above a limit only where the distance is greater', () => {
    const editDistance = new EditDistance();
    fc.assert(
      fc.property(strings(70), strings(70), fc.nat({ max: 20 }), (a, b, atMost) => {
        const expected = plainEditDistance([...a], [...b]);
        const found = distance(editDistance, a, b, atMost);
        if (expected <= atMost) expect(found).toBe(expected);
        else expect(found).toBeGreaterThan(atMost);
      }),
    );
  });

  it.each([
    ['', '', 0],
    ['', '🐳🐳', 2],
    ['kitten', 'sitting', 3],
    ['Ġthe', 'the', 1],
    ['=', '='.repeat(128), 127],
    ['a'.repeat(32), 'a'.repeat(31), 1],
    ['a'.repeat(64), `b${'a'.repeat(64)}`, 1],
  ])('of %j and %j', (a, b, expected) => {
    expect(distance(new EditDistance(), a, b)).toBe(expected);
    expect(distance(new EditDistance(), b, a)).toBe(expected);
  });
});

describe('leastDistance', () => {
  it('is no more than the distance', () => {
    const editDistance = new EditDistance();
    fc.assert(
      fc.property(
        fc.string({ unit: 'binary', maxLength: 9 }),
        fc.string({ unit: 'binary', maxLength: 9 }),
        (a, b) => {
          const { points, offsets } = packStrings([a, b]);
          const sets = [symbolSet(points, 0, offsets[1]), symbolSet(points, offsets[1], offsets[2])] as const;
          expect(leastDistance(...sets)).toBeLessThanOrEqual(distance(editDistance, a, b));
          expect(leastDistance(sets[0], sets[0])).toBe(0);
        },
      ),
      { numRuns: 1000 },
    );
  });

  it('counts the kinds that one of the two lacks', () => {
    expect(leastDistance(0b0111, 0b1000)).toBe(3);
    expect(leastDistance(-1, 0)).toBe(32);
  });
});
