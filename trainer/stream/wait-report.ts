import type { Log } from '../../mesh/log/log.ts';

const firstAfter = 5_000;
const againAfter = 30_000;

/** Says in the log whom the training waits for, once it has waited long enough, and when that is over. */
export class WaitReport {
  readonly #log: Log;
  readonly #began = performance.now();
  #reportAt = firstAfter;
  #named: readonly string[] = [];

  constructor(log: Log) {
    this.#log = log;
  }

  /** How long to sleep before the next report is due, in milliseconds. */
  get due(): number {
    return Math.max(1, this.#reportAt - this.#elapsed);
  }

  /**
   * @param missing who has not delivered
   * @param what it that has not come
   */
  waiting(missing: readonly string[], what: string): void {
    if (this.#elapsed < this.#reportAt) return;
    this.#reportAt = this.#elapsed + againAfter;
    this.#named = missing;
    const seconds = Math.round(this.#elapsed / 1000);
    this.#log.warn(
      { waitingFor: missing, seconds },
      `Waiting for ${missing.join(', ')} for ${seconds} s: ${what} has not come`,
    );
  }

  over(): void {
    if (this.#named.length === 0) return;
    this.#log.info({ waitedFor: this.#named }, `${this.#named.join(', ')} delivered: the training goes on`);
  }

  get #elapsed(): number {
    return performance.now() - this.#began;
  }
}
