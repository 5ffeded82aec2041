import fc from 'fast-check';
import { expect, test } from 'vitest';
import { addTo, emptyRow } from './sparse-row.ts';

/** Ids that share slots, and rows one after another in the same memory. */
const additions = fc.array(
  fc.record({
    id: fc.oneof(fc.nat(12), fc.nat(200_000)),
    probability: fc.double({ min: 0, max: 1, noNaN: true }),
  }),
  { maxLength: 40 },
);

test('a row holds what a map would, in the order in which tokens came, and nothing of the rows before it', () => {
  fc.assert(
    fc.property(fc.array(additions, { maxLength: 12 }), fc.integer({ min: 1, max: 20 }), (rows, capacity) => {
      const row = emptyRow(capacity);
      for (const added of rows) {
        const expected = new Map<number, number>();
        row.count = 0;
        for (const { id, probability } of added) {
          addTo(row, id, probability);
          if (expected.has(id) || expected.size < capacity) {
            expected.set(id, (expected.get(id) ?? 0) + probability);
          }
        }
        expect([...row.ids.subarray(0, row.count)]).toEqual([...expected.keys()]);
        expect([...row.probabilities.subarray(0, row.count)]).toEqual([...expected.values()]);
      }
    }),
  );
});
