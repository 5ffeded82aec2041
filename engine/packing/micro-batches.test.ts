import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { microBatches } from './micro-batches.ts';
import type { PackedTokens } from './packed-tokens.ts';

const steps = fc
  .record({
    contextLength: fc.integer({ min: 1, max: 24 }),
    rowsAtOnce: fc.integer({ min: 1, max: 5 }),
    seeds: fc.array(fc.nat(), { minLength: 1, maxLength: 30 }),
  })
  .map(({ contextLength, rowsAtOnce, seeds }) => ({
    sizes: { contextLength, rowsAtOnce },
    lengths: seeds.map((seed) => 1 + (seed % contextLength)),
  }));

/** Place in the batch of the token in a slot; −1 for an empty one. */
const placeIn = ({ slotTokens, places }: PackedTokens, slot: number) => places[slotTokens[slot]];

describe('microBatches', () => {
  it('computes every token once, at its position, in rows and parts of the given sizes', () => {
    fc.assert(
      fc.property(steps, ({ lengths, sizes }) => {
        const positions = lengths.flatMap((length) => Array.from({ length }, (_, i) => i));
        const seen: number[] = [];
        for (const part of microBatches(lengths, { ...sizes, masked: true })) {
          expect(part.rows).toBeLessThanOrEqual(sizes.rowsAtOnce);
          expect(part.length).toBeLessThanOrEqual(sizes.contextLength);
          expect(part.tokens).toBeLessThanOrEqual(part.rows * part.length);
          for (let token = 0; token < part.tokens; token++) {
            const place = part.places[token];
            expect(part.slotTokens[part.tokenSlots[token]]).toBe(token);
            if (place < 0) continue;
            seen.push(place);
            expect(Number(part.positions[token])).toBe(positions[place]);
            expect(Number(part.slotPositions[part.tokenSlots[token]])).toBe(positions[place]);
          }
        }
        expect(seen.sort((a, b) => a - b)).toEqual(positions.map((_, place) => place));
      }),
    );
  });

  it('lets a token see those of its document up to itself, and an empty slot itself', () => {
    fc.assert(
      fc.property(steps, ({ lengths, sizes }) => {
        const documents = lengths.flatMap((length, document) => Array<number>(length).fill(document));
        for (const part of microBatches(lengths, { ...sizes, masked: true })) {
          for (let slot = 0; slot < part.rows * part.length; slot++) {
            const row = Math.floor(slot / part.length) * part.length;
            const place = placeIn(part, slot);
            for (let column = 0; column < part.length; column++) {
              const other = placeIn(part, row + column);
              const sees =
                place < 0
                  ? row + column === slot
                  : other >= 0 && documents[other] === documents[place] && other <= place;
              expect(part.mask![slot * part.length + column]).toBe(sees ? 0 : Number.NEGATIVE_INFINITY);
            }
          }
        }
      }),
    );
  });

  it('fills rows: no two of them would fit into one', () => {
    fc.assert(
      fc.property(steps, ({ lengths, sizes }) => {
        const used = microBatches(lengths, { ...sizes, masked: true }).flatMap((part) =>
          Array.from({ length: part.rows }, (_, row) => {
            const slots = Array.from({ length: part.length }, (_, column) => row * part.length + column);
            return slots.filter((slot) => placeIn(part, slot) >= 0).length;
          }),
        );
        const [least, next = sizes.contextLength] = used.sort((a, b) => a - b);
        if (used.length > 1) expect(least + next).toBeGreaterThan(sizes.contextLength);
      }),
    );
  });
});
