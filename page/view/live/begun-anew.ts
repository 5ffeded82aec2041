import type { GetStatusResponse } from '../../../wire/generated/fusemesh/v1/trainer_pb.ts';

/**
 * Whether what is known of the history may be of steps that are forgotten: another process answers, which went on
 * from a checkpoint, or one that has not come as far.
 */
export function begunAnew(
  last: GetStatusResponse | undefined,
  status: GetStatusResponse,
  knownStep: number,
): boolean {
  if (last === undefined) return false;
  const sameProcess =
    last.started?.seconds === status.started?.seconds &&
    last.started?.nanos === status.started?.nanos &&
    last.run === status.run;
  return !sameProcess || Number(status.lastStep?.step ?? 0n) < knownStep;
}
