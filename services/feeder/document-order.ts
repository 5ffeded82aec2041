import { shuffle, uniformNumbers } from '../../numbers/random.ts';

/**
 * The order of a run's documents: the domains mixed, then shuffled as a seed has it. Neighbours in a text are no
 * neighbours in a batch, and no text has the small learning rate of the end to itself.
 *
 * @param domains [pieces] the number of each one's domain, from 0 in the order in which they first come
 * @returns [documents] which piece becomes each document
 */
export function documentOrder(domains: Uint32Array, seed: number): Uint32Array {
  const order = mixDomains(domains);
  shuffle(order, uniformNumbers(seed));
  return order;
}

/**
 * Pieces with the domains mixed in the proportion of their sizes, so that every stretch has something of each; those
 * of one domain stay in their order.
 *
 * @param domains as of {@link documentOrder}
 * @returns [pieces] their indices
 */
export function mixDomains(domains: Uint32Array): Uint32Array {
  const sizes: number[] = [];
  for (const domain of domains) {
    while (sizes.length <= domain) sizes.push(0);
    sizes[domain]++;
  }
  const queues = sizes.map((size) => ({ own: new Uint32Array(size), taken: 0 }));
  for (let piece = 0; piece < domains.length; piece++) {
    const queue = queues[domains[piece]];
    queue.own[queue.taken++] = piece;
  }
  for (const queue of queues) queue.taken = 0;
  return Uint32Array.from(domains, () => {
    let next = queues[0];
    for (const queue of queues) if (shareTaken(queue) < shareTaken(next)) next = queue;
    return next.own[next.taken++];
  });
}

const shareTaken = ({ own, taken }: { own: Uint32Array; taken: number }): number =>
  (taken + 0.5) / own.length;
