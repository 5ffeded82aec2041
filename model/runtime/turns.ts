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
 * Lets so many pieces of work be done at a time, one where nothing else is said. Waiting work can still be cancelled; of
 * a worker thread, it stays on this side of the thread.
 */
export class Turns {
  readonly #atOnce: number;
  /** The lanes with waiting work; the first has the next turn. */
  readonly #lanes = new Map<string, Waiting[]>();
  #taken = 0;

  constructor(atOnce = 1) {
    this.#atOnce = atOnce;
  }

  /** Pieces of work that have begun and are not done. */
  get taken(): number {
    return this.#taken;
  }

  get waiting(): number {
    return [...this.#lanes.values()].reduce((sum, { length }) => sum + length, 0);
  }

  /** @throws FuseMeshError cancelled when the signal aborts before the work begins */
  async take<T>(work: () => Promise<T>, turn: Turn = {}): Promise<T> {
    const room = this.#enter(turn);
    if (room) await room;
    try {
      return await work();
    } finally {
      this.#next();
    }
  }

  /**
   * A turn for work that the caller does itself.
   *
   * @returns ends the turn, to be called once
   * @throws FuseMeshError cancelled when the signal aborts before the turn begins
   */
  async begin(turn: Turn): Promise<() => void> {
    await this.#enter(turn);
    return () => this.#next();
  }

  /** @returns when there is room; undefined where there is at once, so that work begins in the same breath */
  #enter({ lane = '', signal }: Turn): Promise<void> | undefined {
    if (signal?.aborted) throw cancelled();
    if (this.#taken >= this.#atOnce) return this.#wait(lane, signal);
    this.#taken++;
    return undefined;
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

  /** Begins the next piece of work, without letting the place of the last be free in between. */
  #next(): void {
    for (const [lane, [first, ...others]] of this.#lanes) {
      this.#lanes.delete(lane);
      if (others.length > 0) this.#lanes.set(lane, others);
      first.begin();
      return;
    }
    this.#taken--;
  }
}

const cancelled = () => new FuseMeshError('cancelled', 'The caller left before the work began.');
