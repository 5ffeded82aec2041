import type { Log } from './log.ts';

/**
 * Warns of something that may fail again and again: at the first failure, and when the reason changes. The same
 * reason again goes to level debug, and becomes a warning only after a long time.
 */
export class RepeatedWarning {
  readonly #log: Log;
  readonly #againAfter: number;
  #message = '';
  #saidAt = 0;

  /** @param againAfter milliseconds until the same is a warning again */
  constructor(log: Log, againAfter = Number.POSITIVE_INFINITY) {
    this.#log = log;
    this.#againAfter = againAfter;
  }

  warn(message: string, fields: Readonly<Record<string, unknown>> = {}): void {
    const now = performance.now();
    if (message === this.#message && now - this.#saidAt < this.#againAfter) {
      this.#log.debug(fields, message);
      return;
    }
    this.#message = message;
    this.#saidAt = now;
    this.#log.warn(fields, message);
  }

  /** It succeeded: the next failure counts as the first. */
  over(): void {
    this.#message = '';
  }
}
