import fc from 'fast-check';
import { expect, test } from 'vitest';
import { documentOrder, mixDomains, numberDocuments } from './corpus-documents.ts';

const pieces = (domain: string, count: number) =>
  Array.from({ length: count }, (_, i) => ({ domain, text: `${domain} ${i}` }));

test('every stretch of mixed pieces has each domain in proportion, in its order', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 1, max: 40 }), (sea, manual) => {
      const mixed = mixDomains([...pieces('sea', sea), ...pieces('manual', manual)]);
      expect(mixed.filter(({ domain }) => domain === 'sea')).toEqual(pieces('sea', sea));
      expect(mixed.filter(({ domain }) => domain === 'manual')).toEqual(pieces('manual', manual));
      const half = mixed.slice(0, mixed.length / 2).filter(({ domain }) => domain === 'sea');
      expect(Math.abs(half.length - sea / 2)).toBeLessThanOrEqual(1);
    }),
  );
});

test('a seed fixes the order, which has every piece once', () => {
  fc.assert(
    fc.property(fc.nat(200), fc.nat(), (count, seed) => {
      const order = documentOrder(count, seed);
      expect(order).toEqual(documentOrder(count, seed));
      expect([...order].sort((a, b) => a - b)).toEqual(Array.from({ length: count }, (_, i) => i));
    }),
  );
  expect(documentOrder(100, 1)).not.toEqual(documentOrder(100, 2));
});

test('documents are numbered in the order of the seed', () => {
  const texts = pieces('sea', 20);
  const documents = numberDocuments(texts, 3);
  expect(documents.map(({ number }) => Number(number))).toEqual(texts.map((_, number) => number));
  expect(documents.map(({ text }) => text)).toEqual(documentOrder(20, 3).map((piece) => texts[piece].text));
});
