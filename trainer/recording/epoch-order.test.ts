import { expect, it } from 'vitest';
import { epochOrder } from './epoch-order.ts';

const orderOf = (seed: number, epoch: number) => [...epochOrder(50, { seed, epoch, numberedBy: 3 })];
const inOrder = Array.from({ length: 50 }, (_, i) => i);

it('is that of the numbers in the first pass, and another in each later one and with each seed', () => {
  expect(orderOf(3, 0)).toEqual(inOrder);
  const orders = [orderOf(3, 0), orderOf(3, 1), orderOf(3, 2), orderOf(4, 0), orderOf(4, 1), orderOf(2, 2)];
  for (const order of orders) expect(order.toSorted((a, b) => a - b)).toEqual(inOrder);
  expect(new Set(orders.map(String)).size).toBe(orders.length);
});

it('is the same for the same seed and pass', () => {
  expect(orderOf(3, 1)).toEqual(orderOf(3, 1));
  expect(orderOf(3, 1).slice(0, 8)).toMatchInlineSnapshot(`
    [
      13,
      1,
      30,
      16,
      45,
      42,
      28,
      41,
    ]
  `);
});
