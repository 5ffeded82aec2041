import fc from 'fast-check';
import { expect, it } from 'vitest';
import { Admission } from './admission.ts';
import { bytesOfCaches } from './cache-sizes.ts';

const sizes = { keyValueSizes: { layers: 2, keyValueHeads: 3, headSize: 8 }, contextLength: 1000 };

it('refuses who has no room even alone, with the numbers', () => {
  const bytesOf = (most: readonly number[]) => bytesOfCaches(sizes, true, most);
  const admission = new Admission({ slots: 4, cacheBytes: bytesOf([128]), bytesOf });
  admission.enter({ most: 128 });
  expect(() => admission.enter({ most: 129 })).toThrow(
    'Prompt and max_tokens are 129 tokens together, whose keys and values take 98304 bytes, and there are 49152: ask for fewer tokens',
  );
});

it('lets in the first come first, never more than there is room for, and all of them', () => {
  const applicant = fc.record({ most: fc.integer({ min: 1, max: 1000 }) });
  fc.assert(
    fc.property(
      fc.array(applicant, { minLength: 1, maxLength: 30 }),
      fc.integer({ min: 1, max: 8 }),
      fc.integer({ min: 1, max: 8 }),
      fc.boolean(),
      fc.infiniteStream(fc.nat()),
      (applicants, slots, contexts, shared, choices) => {
        const bytesOf = (most: readonly number[]) => bytesOfCaches(sizes, shared, most);
        const cacheBytes = contexts * bytesOf([sizes.contextLength]);
        const admission = new Admission<(typeof applicants)[number], number>({ slots, cacheBytes, bytesOf });
        for (const one of applicants) admission.enter(one);
        const order: unknown[] = [];
        const inHand = new Map<(typeof applicants)[number], number>();
        for (let version = 0; order.length < applicants.length || inHand.size > 0; ) {
          for (let next = admission.next(version); next; next = admission.next(version)) {
            order.push(next);
            inHand.set(next, version);
          }
          expect(inHand.size).toBeGreaterThan(0);
          expect(inHand.size).toBeLessThanOrEqual(slots);
          const ofVersion = (its: number) =>
            bytesOf([...inHand].filter(([, other]) => other === its).map(([{ most }]) => most));
          expect(ofVersion(0) + ofVersion(1)).toBeLessThanOrEqual(cacheBytes);
          const [choice] = choices.take(1);
          const leaving = [...inHand.keys()][choice % inHand.size];
          inHand.delete(leaving);
          admission.leave(leaving);
          version = choice % 2;
        }
        expect(order).toEqual(applicants);
      },
    ),
  );
});
