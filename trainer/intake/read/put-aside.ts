import type { Log } from '../../../process/log/log.ts';
import type { DeadLetter, RunStreams } from '../../../wire/nats/run-streams.ts';
import type { IntakeObserver } from './intake-counts.ts';

/** Longest that a message which cannot be used holds up those behind it, in milliseconds. */
const storeWithin = 30_000;

/** Where messages that cannot be used go, and what counts them. */
export interface DeadLetters {
  readonly streams: Pick<RunStreams, 'storeDeadLetter'>;
  readonly intake: Pick<IntakeObserver, 'deadLetter'>;
  readonly signal: AbortSignal;
  readonly log: Log;
}

/** Puts a message into the run's dead letters. Where that fails the log says so, and the run continues. */
export async function putAside(
  letter: DeadLetter,
  { streams, intake, signal, log }: DeadLetters,
): Promise<void> {
  intake.deadLetter(letter.source);
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
