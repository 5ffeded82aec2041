import type { Log } from '../../../process/log/log.ts';

/** Stands for the feeder, which owes manifest and texts, among the names of sources. */
export const feeder = 'feeder';

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
   * @param what has not come, for the message
   */
  waiting(missing: readonly string[], what: string): void {
    if (this.#elapsed < this.#reportAt) return;
    this.#reportAt = this.#elapsed + againAfter;
    this.#named = missing;
    const seconds = Math.round(this.#elapsed / 1000);
    this.#log.warn(
      { waitingFor: missing, seconds },
      `Waiting for ${inWords(missing)} for ${seconds} s: ${what} has not come`,
    );
  }

  /** @param without who has still not delivered, and is no longer waited for */
  over(without: readonly string[] = []): void {
    const delivered = this.#named.filter((who) => !without.includes(who));
    if (delivered.length === 0) return;
    this.#log.info({ waitedFor: delivered }, `The training goes on: ${inWords(delivered)} delivered`);
  }

  get #elapsed(): number {
    return performance.now() - this.#began;
  }
}

const inWords = (missing: readonly string[]): string =>
  missing.map((who) => (who === feeder ? 'the feeder' : who)).join(', ');
