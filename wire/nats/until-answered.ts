import { sleepUnlessAborted } from '../../process/lifecycle/repeat.ts';
import type { NatsConnection } from './connection.ts';
import { isUnanswered, natsFailure } from './failure.ts';

const pause = 250;

/**
 * Repeats a request until the server answers it. Carrying it out twice must do no harm.
 *
 * @param doing what is done, for an error message: "read documents"
 * @returns undefined when aborted
 */
export async function untilAnswered<T>(
  { url }: NatsConnection,
  doing: string,
  signal: AbortSignal,
  ask: () => Promise<T>,
): Promise<T | undefined> {
  while (!signal.aborted) {
    try {
      return await ask();
    } catch (error) {
      if (!isUnanswered(error)) throw natsFailure(error, doing, url);
      await sleepUnlessAborted(pause, signal);
    }
  }
  return undefined;
}
