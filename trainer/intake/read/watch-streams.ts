import { setTimeout as sleep } from 'node:timers/promises';
import { FuseMeshError } from '../../../errors/fusemesh-error.ts';
import type { Log } from '../../../process/log/log.ts';
import { RepeatedWarning } from '../../../process/log/repeated-warning.ts';
import type { RunState, RunStreams } from '../../../wire/nats/run-streams.ts';

const lookEvery = 2_000;

/**
 * Looks at a run's streams every two seconds, until aborted. Status and metrics take what was seen last, so
 * that whoever asks for them never waits for NATS. While NATS is away nothing is told.
 */
export async function watchStreams(
  streams: Pick<RunStreams, 'look'>,
  teachers: readonly string[],
  { signal, log, tell }: { signal: AbortSignal; log: Log; tell: (state: RunState) => void },
): Promise<void> {
  const warning = new RepeatedWarning(log);
  while (!signal.aborted) {
    try {
      tell(await streams.look(teachers));
      warning.over();
    } catch (error) {
      if (!(error instanceof FuseMeshError)) throw error;
      if (!signal.aborted) warning.warn(error.message);
    }
    await sleep(lookEvery, undefined, { signal }).catch(() => {});
  }
}
