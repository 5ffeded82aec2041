import { FuseMeshError } from '../../errors/fusemesh-error.ts';

/** How a piece of work waits. */
export interface Turn {
  /** Lanes take turns, however much waits in each; within a lane, first come is first served. */
  readonly lane?: string;
  /** If it aborts before the work begins, the work never begins. */
  readonly signal?: AbortSignal | undefined;
}

interface Waiting {
  begin(): void;
}

/**
 * Runs one piece of work at a time, for a worker thread. Waiting work stays on this side of the thread, where
 * it can still be cancelled.
 */
export class Turns {
  /** The lanes with waiting work; the first has the next turn. */
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

  /** Begins the next piece of work, without letting `#busy` fall in between. */
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
