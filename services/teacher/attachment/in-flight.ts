/**
 * Does something with each item, in order, with several on their way at once.
 *
 * @param most how many may be on their way
 * @param send is given the promise of the item before, undefined for the first
 * @returns when all that has begun is over; after a failure nothing more begins
 * @throws what the first item that failed, in their order, failed with
 */
export async function inFlight<T>(
  items: readonly T[],
  most: number,
  send: (item: T, before: Promise<void> | undefined) => Promise<void>,
): Promise<void> {
  const sent: Promise<void>[] = [];
  let failed = false;
  for (const [i, item] of items.entries()) {
    if (i >= most) await sent[i - most].catch(() => {});
    if (failed) break;
    const sending = send(item, sent[i - 1]);
    sending.catch(() => {
      failed = true;
    });
    sent.push(sending);
  }
  for (const result of await Promise.allSettled(sent)) {
    if (result.status === 'rejected') throw result.reason;
  }
}
