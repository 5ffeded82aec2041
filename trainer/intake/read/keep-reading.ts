import { FuseMeshError } from '../../../errors/fusemesh-error.ts';
import { sleepUnlessAborted } from '../../../process/lifecycle/repeat.ts';
import type { Log } from '../../../process/log/log.ts';
import { RepeatedWarning } from '../../../process/log/repeated-warning.ts';

const retryAfter = 1_000;

/**
 * Reads a stream until aborted: where NATS goes away, from after the last item once it is back.
 *
 * @param what is read, for the log
 * @param open begins to read after an item, or at the beginning
 */
export async function* keepReading<T>(
  what: string,
  open: (after: T | undefined) => AsyncIterable<T>,
  { signal, log }: { signal: AbortSignal; log: Log },
): AsyncGenerator<T> {
  const warning = new RepeatedWarning(log);
  let last: T | undefined;
  while (!signal.aborted) {
    try {
      for await (const item of open(last)) {
        last = item;
        warning.over();
        yield item;
      }
    } catch (error) {
      if (signal.aborted) return;
      if (!(error instanceof FuseMeshError) || error.code !== 'unavailable') throw error;
      warning.warn(`Cannot read ${what}, trying again: ${error.message}`);
    }
    await sleepUnlessAborted(retryAfter, signal);
  }
}
