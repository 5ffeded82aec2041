import { TrainerState } from '../../wire/generated/fusemesh/v1/trainer_pb.ts';
import type { SeenRun } from './seen-run.ts';
import { duration, losses, rate, stateWord, whole } from './words.ts';

/** A run on one line, for a log. */
export function runLine({ now, seconds, status, silent, fed }: SeenRun): string {
  const parts: string[] = [];
  if (seconds !== undefined) parts.push(duration(seconds));
  else parts.push(new Date(now).toISOString().slice(11, 19));
  if (silent !== undefined) parts.push(`the trainer does not answer, trying again: ${silent}`);
  else if (!status?.lastStep) {
    parts.push(status ? stateWord(status.state) : 'starting');
    if (fed) parts.push(`published ${whole(fed.published)}/${whole(fed.total)}`);
  } else {
    const { lastStep, stepsTotal, secondsLeft, sources, state } = status;
    parts.push(
      `${stateWord(state)} ${lastStep.step}/${stepsTotal}`,
      `loss ${losses(lastStep)}`,
      `trainer ${rate(status.tokensPerSecond)}`,
    );
    // When all steps are done the teachers are let go: where they are is no news any more.
    const working = lastStep.step < stepsTotal ? sources : [];
    for (const { teacher, attached, waitingForRoom, tokensPerSecond } of working) {
      const pace = waitingForRoom ? 'waits for the trainer' : rate(tokensPerSecond);
      parts.push(`${teacher} ${attached ? pace : 'is not attached'}`);
    }
    if (secondsLeft !== undefined && state === TrainerState.TRAINING)
      parts.push(`${duration(secondsLeft)} left`);
  }
  return parts.join(' | ');
}
