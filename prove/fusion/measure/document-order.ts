import { shuffle, uniformNumbers } from '../../../numbers/random.ts';

/**
 * Numbers of the documents that a seed trains on, in order: the same for all experiments of the seed, those on a
 * share of them taking the first.
 */
export function documentOrder(documents: number, seed: number, share: number): number[] {
  const order = Array.from({ length: documents }, (_, number) => number);
  shuffle(order, uniformNumbers(seed));
  return order.slice(0, Math.round(share * documents));
}
