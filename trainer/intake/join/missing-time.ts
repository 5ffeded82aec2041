/** Counts how long each part of the next document was missing while it was waited for. */
export class MissingTime {
  readonly #count: (who: string, seconds: number) => void;
  #missing: readonly string[] = [];
  #since = 0;

  constructor(count: (who: string, seconds: number) => void) {
    this.#count = count;
  }

  /** @param missing who has not delivered, from now on; nobody while nothing is waited for */
  now(missing: readonly string[]): void {
    if (missing.length === 0 && this.#missing.length === 0) return;
    const now = performance.now();
    const seconds = (now - this.#since) / 1000;
    for (const who of this.#missing) this.#count(who, seconds);
    this.#missing = missing;
    this.#since = now;
  }
}
