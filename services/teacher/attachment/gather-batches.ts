/**
 * Groups a live stream into batches: what has come when the reader asks, at least one item and at most
 * `most`. A batch that is not full waits `patience` milliseconds for more.
 */
export async function* gatherBatches<T>(
  items: AsyncIterable<T>,
  { most, patience }: { readonly most: number; readonly patience: number },
): AsyncGenerator<T[]> {
  const iterator = items[Symbol.asyncIterator]();
  let coming: Promise<IteratorResult<T>> | undefined;
  try {
    for (;;) {
      coming ??= iterator.next();
      const first = await coming;
      coming = undefined;
      if (first.done) return;

      const batch = [first.value];
      const deadline = wait(patience);
      while (batch.length < most) {
        coming = iterator.next();
        const next = await Promise.race([coming, deadline.over]);
        if (next === undefined || next.done) break;
        batch.push(next.value);
        coming = undefined;
      }
      deadline.cancel();
      yield batch;
    }
  } finally {
    coming?.catch(() => undefined);
    await iterator.return?.();
  }
}

function wait(milliseconds: number): { over: Promise<undefined>; cancel(): void } {
  let timer: NodeJS.Timeout | undefined;
  const over = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), milliseconds);
  });
  return { over, cancel: () => clearTimeout(timer) };
}
