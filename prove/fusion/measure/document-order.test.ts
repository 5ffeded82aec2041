import { expect, test } from 'vitest';
import { documentOrder } from './document-order.ts';

test('a seed has one order, of which a share is the beginning', () => {
  const all = documentOrder(100, 1, 1);
  expect([...all].sort((a, b) => a - b)).toEqual(Array.from({ length: 100 }, (_, i) => i));
  expect(documentOrder(100, 1, 0.25)).toEqual(all.slice(0, 25));
  expect(documentOrder(100, 1, 0)).toEqual([]);
  expect(documentOrder(100, 2, 1)).not.toEqual(all);
});
