import { repeatUntilAborted } from '../../../process/lifecycle/repeat.ts';
import type { Log } from '../../../process/log/log.ts';
import { RepeatedWarning } from '../../../process/log/repeated-warning.ts';
import type { RunState, RunStreams } from '../../../wire/nats/run-streams.ts';

const lookEvery = 2_000;

/**
 * A run's streams as they were at the last look, every two seconds. Healing, status and metrics take what was seen
 * last, so that none of them ever waits for NATS. While NATS is away the last look stays.
 */
export class StreamWatch {
  #seen: RunState | undefined;

  /** What was seen last; undefined before the first look. */
  get seen(): RunState | undefined {
    return this.#seen;
  }

  /**
   * Whether a teacher is done with a document, as NATS has it: the document was acknowledged, or the teacher has
   * nothing left to do.
   *
   * @param position of the document in its stream; undefined where that is not known
   */
  isDone(teacher: string, position: number | undefined): boolean {
    const lag = this.#seen?.lags.find((each) => each.teacher === teacher);
    if (lag === undefined) return false;
    return lag.documents === 0 || (position !== undefined && position <= lag.doneUpTo);
  }

  /**
   * Looks until aborted.
   *
   * @param onLook hears what each look has seen
   */
  async keepLooking(
    streams: Pick<RunStreams, 'look'>,
    teachers: readonly string[],
    { signal, log, onLook }: { signal: AbortSignal; log: Log; onLook: (state: RunState) => void },
  ): Promise<void> {
    const warning = new RepeatedWarning(log);
    const onFailure = (error: Error) => warning.warn(error.message);
    await repeatUntilAborted({ pause: lookEvery, signal, onFailure }, async () => {
      this.#seen = await streams.look(teachers);
      onLook(this.#seen);
      warning.over();
    });
  }
}
