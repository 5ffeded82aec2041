import { FuseMeshError } from '../../errors/fusemesh-error.ts';

/** How a piece of work waits. */
export interface Turn {
  /** Lanes take turns, whatever waits in each; within one it is first come, first served. */
  readonly lane?: string;
  /** Aborted before the work has begun, it never begins. */
  readonly signal?: AbortSignal | undefined;
}

interface Waiting {
  begin(): void;
}

/**
 * Does one piece of work after another, for a worker thread that can do one at a time. What waits is kept on this
 * side of it, where it can still be taken back.
 */
export class Turns {
  /** The lanes in which something waits; the first is the next to have its turn. */
  readonly #lanes = new Map<string, Waiting[]>();
  #busy = false;

  /** @throws FuseMeshError cancelled when the signal aborts before the work begins */
  async take<T>(work: () => Promise<T>, { lane = '', signal }: Turn = {}): Promise<T> {
    if (signal?.aborted) throw cancelled();
    if (this.#busy) await this.#wait(lane, signal);
    this.#busy = true;
    try {
      return await work();
    } finally {
      this.#next();
    }
  }

  #wait(lane: string, signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      const leave = () => {
        this.#remove(lane, waiting);
        reject(cancelled());
      };
      const waiting = {
        begin: () => {
          signal?.removeEventListener('abort', leave);
          resolve();
        },
      };
      signal?.addEventListener('abort', leave, { once: true });
      const others = this.#lanes.get(lane);
      if (others) others.push(waiting);
      else this.#lanes.set(lane, [waiting]);
    });
  }

  #remove(lane: string, waiting: Waiting): void {
    const others = this.#lanes.get(lane)?.filter((other) => other !== waiting) ?? [];
    if (others.length === 0) this.#lanes.delete(lane);
    else this.#lanes.set(lane, others);
  }

  /** Begins what is next; it keeps the place that the work before it had. */
  #next(): void {
    for (const [lane, [first, ...others]] of this.#lanes) {
      this.#lanes.delete(lane);
      if (others.length > 0) this.#lanes.set(lane, others);
      first.begin();
      return;
    }
    this.#busy = false;
  }
}

const cancelled = () => new FuseMeshError('cancelled', 'The caller left before the work began.');
