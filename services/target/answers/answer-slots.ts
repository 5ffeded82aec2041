import { FuseMeshError } from '../../../errors/fusemesh-error.ts';

interface Waiting {
  begin(): void;
}

/**
 * Lets so many answers be written at a time. Calls take turns: one that wants many answers holds up no other that wants
 * one. Within a call, first come is first served.
 */
export class AnswerSlots {
  readonly #slots: number;
  /** Calls with waiting answers; the first has the next turn. */
  readonly #calls = new Map<object, Waiting[]>();
  #taken = 0;
  #waiting = 0;

  constructor(slots: number) {
    this.#slots = slots;
  }

  get taken(): number {
    return this.#taken;
  }

  get waiting(): number {
    return this.#waiting;
  }

  /**
   * @param call whose answer it is
   * @returns gives the slot back
   * @throws FuseMeshError cancelled when the signal aborts while it waits
   */
  async take(call: object, signal: AbortSignal): Promise<() => void> {
    if (signal.aborted) throw cancelled();
    if (this.#taken < this.#slots) this.#taken++;
    else await this.#wait(call, signal);
    return () => this.#giveBack();
  }

  #wait(call: object, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const leave = () => {
        this.#waiting--;
        const others = this.#calls.get(call)?.filter((other) => other !== waiting) ?? [];
        if (others.length === 0) this.#calls.delete(call);
        else this.#calls.set(call, others);
        reject(cancelled());
      };
      const waiting: Waiting = {
        begin: () => {
          this.#waiting--;
          signal.removeEventListener('abort', leave);
          resolve();
        },
      };
      this.#waiting++;
      signal.addEventListener('abort', leave, { once: true });
      const others = this.#calls.get(call);
      if (others) others.push(waiting);
      else this.#calls.set(call, [waiting]);
    });
  }

  /** To the next that waits, without being free in between. */
  #giveBack(): void {
    for (const [call, [first, ...others]] of this.#calls) {
      this.#calls.delete(call);
      if (others.length > 0) this.#calls.set(call, others);
      first.begin();
      return;
    }
    this.#taken--;
  }
}

const cancelled = () => new FuseMeshError('cancelled', 'The caller left before its answer was begun.');
