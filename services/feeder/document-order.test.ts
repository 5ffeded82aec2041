import fc from 'fast-check';
import { expect, test } from 'vitest';
import { documentOrder, mixDomains } from './document-order.ts';

test('a seed fixes the order, which has every piece once', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(3), { maxLength: 200 }), fc.nat(), (domains, seed) => {
      const pieces = Uint32Array.from(domains);
      const order = documentOrder(pieces, seed);
      expect(order).toEqual(documentOrder(pieces, seed));
      expect([...order].sort((a, b) => a - b)).toEqual(domains.map((_, i) => i));
    }),
  );
  const hundred = new Uint32Array(100);
  expect(documentOrder(hundred, 1)).not.toEqual(documentOrder(hundred, 2));
});

test('the order stays what it was: runs that have begun go on with it', () => {
  expect([...documentOrder(Uint32Array.of(0, 0, 0, 0, 0, 0, 1, 1, 2, 2), 7)]).toEqual([
    4, 3, 9, 1, 6, 8, 2, 7, 5, 0,
  ]);
});

test('every stretch of mixed pieces has each domain in proportion, in its order', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 1, max: 40 }), (sea, manual) => {
      const domains = Uint32Array.from({ length: sea + manual }, (_, i) => (i < sea ? 0 : 1));
      const mixed = mixDomains(domains);
      expect([...mixed.filter((piece) => piece < sea)]).toEqual(Array.from({ length: sea }, (_, i) => i));
      expect([...mixed.filter((piece) => piece >= sea)]).toEqual(
        Array.from({ length: manual }, (_, i) => sea + i),
      );
      const half = mixed.slice(0, mixed.length / 2).filter((piece) => piece < sea);
      expect(Math.abs(half.length - sea / 2)).toBeLessThanOrEqual(1);
    }),
  );
});
