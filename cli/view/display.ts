import { createLogUpdate } from 'log-update';
import sliceAnsi from 'slice-ansi';
import { runLine } from './run-line.ts';
import { runView } from './run-view.ts';
import type { SeenRun } from './seen-run.ts';

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
