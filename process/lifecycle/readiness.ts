/** What a process lacks, if anything: one truth for gRPC's health checks and for HTTP's. */
export class Readiness {
  readonly #problems = new Map<string, string>();
  readonly #listeners = new Set<() => void>();

  /** By part of the process, why it is not ready; empty when it is. */
  get problems(): Readonly<Record<string, string>> {
    return Object.fromEntries(this.#problems);
  }

  get ready(): boolean {
    return this.#problems.size === 0;
  }

  /** A part is not ready. @param reason to be read alone: "the connection is lost" */
  lacks(part: string, reason: string): void {
    this.#problems.set(part, reason);
    for (const listener of this.#listeners) listener();
  }

  /** A part is ready. */
  has(part: string): void {
    if (this.#problems.delete(part)) for (const listener of this.#listeners) listener();
  }

  /** Tells at once and at every change; returns what ends it. */
  follow(listener: () => void): () => void {
    this.#listeners.add(listener);
    listener();
    return () => this.#listeners.delete(listener);
  }
}
