import fc from 'fast-check';
import { expect, test } from 'vitest';
import { documentOrder, numberDocuments } from './number-documents.ts';

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
  const texts = Array.from({ length: 20 }, (_, i) => ({ domain: 'sea', text: `sea ${i}` }));
  const documents = numberDocuments(texts, 3);
  expect(documents.map(({ number }) => Number(number))).toEqual(texts.map((_, number) => number));
  expect(documents.map(({ text }) => text)).toEqual(documentOrder(20, 3).map((piece) => texts[piece].text));
});
