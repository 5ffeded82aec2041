import { createHash } from 'node:crypto';
import { shuffle, uniformNumbers } from '../../numbers/random.ts';

/**
 * The order in which a pass takes the documents of a corpus: in the first that of their numbers, which the seed has
 * decided already; in each later one another, by the seed too.
 *
 * @param epoch 0 for the first pass
 * @param numberedBy the seed by which the documents were numbered: with another one, the first pass is shuffled too
 * @returns [documents] numbers
 */
export function epochOrder(
  documents: number,
  { seed, epoch, numberedBy }: { readonly seed: number; readonly epoch: number; readonly numberedBy: number },
): Uint32Array {
  const order = Uint32Array.from({ length: documents }, (_, i) => i);
  if (epoch === 0 && seed === numberedBy) return order;
  const mixed = createHash('sha256').update(`seed ${seed} epoch ${epoch}\n`).digest().readUInt32LE(0);
  shuffle(order, uniformNumbers(mixed));
  return order;
}
