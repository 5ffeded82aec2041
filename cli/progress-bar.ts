import { SingleBar } from 'cli-progress';

export interface ProgressBar {
  show(done: number, all: number): void;
  /** Takes the bar away. */
  end(): void;
}

/**
 * A bar on stderr where a person watches, else nothing.
 *
 * @param format of cli-progress: {bar}, {value}, {total}, {eta_formatted}
 */
export function progressBar(format: string): ProgressBar {
  if (!process.stderr.isTTY) return { show: () => undefined, end: () => undefined };
  const bar = new SingleBar({ format, clearOnComplete: true });
  return {
    show: (done, all) => (bar.isActive ? bar.update(done) : bar.start(all, done)),
    end: () => bar.stop(),
  };
}
