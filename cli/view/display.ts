import { createLogUpdate } from 'log-update';
import sliceAnsi from 'slice-ansi';
import { TrainerState } from '../../wire/generated/fusemesh/v1/trainer_pb.ts';
import type { SeenRun } from './run-board.ts';
import { runView } from './run-view.ts';
import { divergenceText } from './status-text.ts';
import { duration, losses, rate, stateWord, whole } from './words.ts';

/** Shows how a run goes. */
export interface Display {
  /** Writes a line that stays. */
  note(line: string): void;
  show(seen: SeenRun): void;
  /** Leaves what was shown last and gives the terminal back. */
  end(): void;
}

const lineEveryMilliseconds = 3000;

/** A view that is drawn over itself on a terminal; elsewhere a line every few seconds, and whenever the state changes. */
export function runDisplay(output: NodeJS.WriteStream): Display {
  return output.isTTY && process.env['TERM'] !== 'dumb' ? liveDisplay(output) : plainDisplay(output);
}

function liveDisplay(output: NodeJS.WriteStream): Display {
  const update = createLogUpdate(output);
  return {
    note: (line) => update.persist(line),
    show: (seen) => update(fitted(runView(seen), output.columns)),
    end: () => update.done(),
  };
}

/** Lines that never wrap: what is too long for the terminal is cut, colours aside. */
export const fitted = (lines: readonly string[], columns: number): string =>
  lines.map((line) => sliceAnsi(line, 0, columns)).join('\n');

function plainDisplay(output: NodeJS.WriteStream): Display {
  let shownAt = Number.NEGATIVE_INFINITY;
  let shownState = '';
  return {
    note: (line) => output.write(`${line}\n`),
    show: (seen) => {
      const state = seen.silent === undefined ? `${seen.status?.state}` : 'silent';
      if (state === shownState && seen.now - shownAt < lineEveryMilliseconds) return;
      shownAt = seen.now;
      shownState = state;
      output.write(`${runLine(seen)}\n`);
    },
    end: () => undefined,
  };
}

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
    const { lastStep, stepsTotal, secondsLeft, sources, state, rollouts } = status;
    parts.push(
      `${stateWord(state)} ${lastStep.step}/${stepsTotal}`,
      `loss ${losses(lastStep)}`,
      `trainer ${rate(status.tokensPerSecond)}`,
    );
    // When all steps are done the trainer detaches the teachers: their state is no longer shown.
    const working = lastStep.step < stepsTotal ? sources : [];
    for (const { teacher, attached, waitingForRoom, tokensPerSecond } of working) {
      const pace = waitingForRoom ? 'waits for the trainer' : rate(tokensPerSecond);
      parts.push(`${teacher} ${attached ? pace : 'is not attached'}`);
    }
    if (rollouts?.last) {
      parts.push(`rollouts ${rate(rollouts.last.tokensPerSecond)}, ${divergenceText(rollouts.last)}`);
    }
    if (secondsLeft !== undefined && state === TrainerState.TRAINING)
      parts.push(`${duration(secondsLeft)} left`);
  }
  return parts.join(' | ');
}
