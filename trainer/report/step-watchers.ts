import { FuseMeshError } from '../../errors/fusemesh-error.ts';
import type { Notifier } from '../../process/lifecycle/notifier.ts';
import type { StepReport } from './step-report.ts';

/** Steps that a watcher may be behind before it is dropped. */
const watcherLag = 10_000;

/** Those who hear of every step. */
export class StepWatchers {
  readonly #notifier: Notifier;
  readonly #behind = new Set<StepReport[]>();
  #last: StepReport | undefined;
  #ended = false;

  constructor(notifier: Notifier) {
    this.#notifier = notifier;
  }

  /** A step is done. */
  step(report: StepReport): void {
    this.#last = report;
    for (const steps of this.#behind) {
      // The one over the limit shows a watcher that it is dropped.
      if (steps.length <= watcherLag) steps.push(report);
    }
    this.#notifier.notifyAll();
  }

  /** There will be no further step. */
  end(): void {
    this.#ended = true;
    this.#notifier.notifyAll();
  }

  /**
   * The last step, if any, then every further one, until the run ends.
   *
   * @throws FuseMeshError resource_exhausted for a watcher that is too slow
   */
  async *watch(signal: AbortSignal): AsyncGenerator<StepReport> {
    const steps: StepReport[] = this.#last === undefined ? [] : [this.#last];
    this.#behind.add(steps);
    const wake = () => this.#notifier.notifyAll();
    signal.addEventListener('abort', wake);
    try {
      while (!signal.aborted) {
        const [step] = steps.splice(0, 1);
        if (step !== undefined) yield step;
        else if (this.#ended) return;
        else await this.#notifier.next();
        if (steps.length > watcherLag) {
          throw new FuseMeshError('resource_exhausted', `More than ${watcherLag} steps behind: watch again.`);
        }
      }
    } finally {
      this.#behind.delete(steps);
      signal.removeEventListener('abort', wake);
    }
  }
}
