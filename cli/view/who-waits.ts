import type { GetStatusResponse } from '../../wire/generated/fusemesh/v1/trainer_pb.ts';
import { percent } from './words.ts';

/** Share of a step that may go into waiting before we call it so. */
const noticeable = 0.1;

/** Who waits for whom, in a few words. */
export function whoWaits({ sources, lastStep }: GetStatusResponse): string {
  const parts: string[] = [];
  const full = sources.filter(({ waitingForRoom }) => waitingForRoom).map(({ teacher }) => teacher);
  if (full.length > 0) parts.push(`${full.join(', ')} ${full.length > 1 ? 'wait' : 'waits'} for the trainer`);
  const waited = lastStep && lastStep.seconds > 0 ? lastStep.waitSeconds / lastStep.seconds : 0;
  if (waited >= noticeable) {
    const owing = sources
      .filter(({ documentsMissing, leftOut }) => documentsMissing > 0 && !leftOut)
      .map(({ teacher }) => teacher);
    const whom = owing.length > 0 ? owing.join(', ') : 'documents';
    parts.push(`the trainer waits for ${whom} (${percent(waited)} of the last step)`);
  }
  const leftOut = sources.filter((source) => source.leftOut).map(({ teacher }) => teacher);
  if (leftOut.length > 0) parts.push(`the run goes on without ${leftOut.join(', ')}`);
  return parts.length > 0 ? parts.join('; ') : 'nobody';
}
