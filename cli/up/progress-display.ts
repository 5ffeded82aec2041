import { createLogUpdate } from 'log-update';
import type { RunProgress } from './progress.ts';
import { progressLine, progressView } from './progress-lines.ts';

/** Shows how a run goes. */
export interface ProgressDisplay {
  /** Writes a line that stays. */
  note(line: string): void;
  show(progress: RunProgress): void;
  /** Leaves what was shown last and gives the terminal back. */
  end(): void;
}

const lineEverySeconds = 2;

/** A view that is drawn over itself on a terminal; elsewhere a line every other second. */
export function progressDisplay(run: string, output: NodeJS.WriteStream): ProgressDisplay {
  return output.isTTY ? liveDisplay(run, output) : plainDisplay(output);
}

function liveDisplay(run: string, output: NodeJS.WriteStream): ProgressDisplay {
  const update = createLogUpdate(output);
  return {
    note: (line) => update.persist(line),
    show: (progress) => update(progressView(run, progress)),
    end: () => update.done(),
  };
}

function plainDisplay(output: NodeJS.WriteStream): ProgressDisplay {
  let shownAt = Number.NEGATIVE_INFINITY;
  return {
    note: (line) => output.write(`${line}\n`),
    show: (progress) => {
      if (progress.seconds - shownAt < lineEverySeconds) return;
      shownAt = progress.seconds;
      output.write(`${progressLine(progress)}\n`);
    },
    end: () => undefined,
  };
}
