/** Which parts of a process are not ready: the one source for the health checks of gRPC and of HTTP. */
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

  /** A part is not ready. @param reason a clause of its own: "the connection is lost" */
  lacks(part: string, reason: string): void {
    this.#problems.set(part, reason);
    for (const listener of this.#listeners) listener();
  }

  /** A part is ready. */
  has(part: string): void {
    if (this.#problems.delete(part)) for (const listener of this.#listeners) listener();
  }

  /** Calls back at once and at every change; returns a function that ends it. */
  follow(listener: () => void): () => void {
    this.#listeners.add(listener);
    listener();
    return () => this.#listeners.delete(listener);
  }
}
