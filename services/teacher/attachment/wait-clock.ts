const tellEvery = 1_000;

/**
 * Measures the time in which anybody waits, however many do at once. It tells while the time goes by rather than at
 * the end, so that a long wait is seen.
 */
export class WaitClock {
  readonly #tell: (seconds: number) => void;
  #waiting = 0;
  #timer: NodeJS.Timeout | undefined;
  #toldAt = 0;

  /** @param tell is given the seconds since it was called last */
  constructor(tell: (seconds: number) => void) {
    this.#tell = tell;
  }

  /** Whether anybody waits. */
  get waiting(): boolean {
    return this.#waiting > 0;
  }

  /** Somebody begins to wait. */
  begin(): void {
    if (this.#waiting++ > 0) return;
    this.#toldAt = performance.now();
    this.#timer = setInterval(() => this.#tellTime(), tellEvery);
  }

  /** Somebody who waited waits no more. */
  end(): void {
    if (--this.#waiting > 0) return;
    clearInterval(this.#timer);
    this.#tellTime();
  }

  #tellTime(): void {
    const now = performance.now();
    this.#tell((now - this.#toldAt) / 1000);
    this.#toldAt = now;
  }
}
