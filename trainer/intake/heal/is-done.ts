import type { RunState } from '../../../wire/nats/run-streams.ts';

/**
 * Whether a teacher is done with a document, as NATS has it: it was acknowledged, or there is nothing that it
 * has still to do.
 *
 * @param state what was seen last; undefined before
 * @param position of the document in its stream; undefined where that is not known
 */
export function isDone(state: RunState | undefined, teacher: string, position: number | undefined): boolean {
  const lag = state?.lags.find((each) => each.teacher === teacher);
  if (lag === undefined) return false;
  return lag.documents === 0 || (position !== undefined && position <= lag.doneUpTo);
}
