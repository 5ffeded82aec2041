import { setTimeout as sleep } from 'node:timers/promises';
import { FuseMeshError } from '../../errors/fusemesh-error.ts';

/** Sleeps for so many milliseconds, or until aborted: a loop around it looks at its signal next. */
export async function sleepUnlessAborted(milliseconds: number, signal: AbortSignal): Promise<void> {
  await sleep(milliseconds, undefined, { signal }).catch(() => {});
}

/** How something is repeated. */
export interface Repetition {
  /** Pause after each time, in milliseconds. */
  readonly pause: number;
  readonly signal: AbortSignal;
  /** Hears of a FuseMeshError, after which it is tried again, and may throw it. Left out, a failure ends all. */
  readonly onFailure?: (error: FuseMeshError) => void;
}

/**
 * Does something again and again until aborted.
 *
 * @throws what `work` or `onFailure` throws; no FuseMeshError of `work` once aborted
 */
export async function repeatUntilAborted(
  { pause, signal, onFailure }: Repetition,
  work: () => Promise<void>,
): Promise<void> {
  while (!signal.aborted) {
    try {
      await work();
    } catch (error) {
      if (!(error instanceof FuseMeshError)) throw error;
      if (signal.aborted) return;
      if (onFailure === undefined) throw error;
      onFailure(error);
    }
    await sleepUnlessAborted(pause, signal);
  }
}
