import type { Log } from '../../../process/log/log.ts';
import type { DeadLetter, RunStreams } from '../../../wire/nats/run-streams.ts';

/** Longest that a message which cannot be used holds up those behind it, in milliseconds. */
const storeWithin = 30_000;

/** Puts a message into the run's dead letters. Where that fails the log says so, and the run goes on. */
export async function putAside(
  streams: Pick<RunStreams, 'storeDeadLetter'>,
  letter: DeadLetter,
  { signal, log }: { signal: AbortSignal; log: Log },
): Promise<void> {
  try {
    const within = AbortSignal.any([signal, AbortSignal.timeout(storeWithin)]);
    await streams.storeDeadLetter(letter, { signal: within });
  } catch (error) {
    if (signal.aborted) return;
    log.warn(
      { position: letter.position },
      `A message of ${letter.source} is not among the dead letters: ${(error as Error).message}`,
    );
  }
}
