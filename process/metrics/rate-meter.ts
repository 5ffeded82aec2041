/** Counts per second over the last few seconds of wall time. */
export class RateMeter {
  readonly #windowSeconds: number;
  readonly #now: () => number;
  readonly #counted: { readonly at: number; readonly count: number }[] = [];
  readonly #startedAt: number;

  /** @param now seconds, on any clock that does not go back */
  constructor(windowSeconds = 3, now: () => number = () => performance.now() / 1000) {
    this.#windowSeconds = windowSeconds;
    this.#now = now;
    this.#startedAt = now();
  }

  add(count: number): void {
    this.#counted.push({ at: this.#now(), count });
    this.#forgetOld();
  }

  /** Mean rate over the window, or since the start where that is nearer. */
  perSecond(): number {
    this.#forgetOld();
    const seconds = Math.min(this.#windowSeconds, this.#now() - this.#startedAt);
    if (seconds <= 0) return 0;
    let sum = 0;
    for (const { count } of this.#counted) sum += count;
    return sum / seconds;
  }

  #forgetOld(): void {
    const oldest = this.#now() - this.#windowSeconds;
    const kept = this.#counted.findIndex(({ at }) => at > oldest);
    this.#counted.splice(0, kept === -1 ? this.#counted.length : kept);
  }
}
