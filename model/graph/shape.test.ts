import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { broadcastShapes, type Dimension, elementCount, product } from './shape.ts';

const sizes = { batch: 3, length: 5, other: 7 } as const;
const dimension = fc.oneof(
  fc.integer({ min: 1, max: 6 }),
  fc.constantFrom<Dimension>(...(Object.keys(sizes) as (keyof typeof sizes)[])),
);

/** The number that a dimension stands for when the named sizes are known. */
const sizeOf = (d: Dimension): number =>
  String(d)
    .split('*')
    .reduce((all, part) => all * (sizes[part as keyof typeof sizes] ?? Number(part)), 1);

describe('product', () => {
  it('multiplies what the names stand for', () => {
    fc.assert(
      fc.property(fc.array(dimension), (shape) => {
        const expected = shape.reduce<number>((all, d) => all * sizeOf(d), 1);
        expect(sizeOf(product(shape))).toBe(expected);
      }),
    );
  });

  it('has one form for one size, whatever the order and grouping', () => {
    fc.assert(
      fc.property(fc.array(dimension, { minLength: 1 }), fc.nat(), (shape, cut) => {
        const at = cut % shape.length;
        const grouped = product([product(shape.slice(at)), product(shape.slice(0, at))]);
        expect(grouped).toBe(product(shape));
      }),
    );
  });
});

describe('broadcastShapes', () => {
  const ones = (shape: Dimension[], keep: boolean[]) => shape.map((d, i) => (keep[i] ? d : 1));

  it('stretches axes of size 1 to the other side', () => {
    const cases = fc.array(fc.tuple(dimension, fc.boolean(), fc.boolean()), { maxLength: 5 });
    fc.assert(
      fc.property(cases, (axes) => {
        const shape = axes.map(([d]) => d);
        const a = ones(
          shape,
          axes.map(([, keep]) => keep),
        );
        const b = ones(
          shape,
          axes.map(([, , keep]) => keep),
        );
        const expected = axes.map(([d, inA, inB]) => (inA || inB ? d : 1));
        expect(broadcastShapes(a, b)).toEqual(expected);
        expect(broadcastShapes(b, a)).toEqual(expected);
      }),
    );
  });

  it('matches from the right, and knows what does not fit', () => {
    expect(broadcastShapes([2, 3], [3])).toEqual([2, 3]);
    expect(broadcastShapes([2, 3], [2])).toBeUndefined();
    expect(broadcastShapes(['batch'], ['length'])).toBeUndefined();
  });
});

describe('a shape', () => {
  it('counts its values only when all sizes are known', () => {
    expect(elementCount([2, 3, 4])).toBe(24);
    expect(() => elementCount(['batch', 2])).toThrow('no fixed size');
  });
});
