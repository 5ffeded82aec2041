import { FuseMeshError } from '../../../errors/fusemesh-error.ts';

/** The step of the weights that are served, and who waits for a later one. */
export class StepWaits {
  #step: number;
  readonly #waiting = new Map<() => void, number>();

  constructor(step: number) {
    this.#step = step;
  }

  get step(): number {
    return this.#step;
  }

  get waiting(): number {
    return this.#waiting.size;
  }

  /** Other weights are served from now on; they may be older, after a trainer has resumed. */
  serve(step: number): void {
    this.#step = step;
    for (const [begin, least] of [...this.#waiting]) if (step >= least) begin();
  }

  /** @throws FuseMeshError cancelled when the signal aborts before weights of this step or a later one are served */
  reached(least: number, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return Promise.reject(cancelled(least));
    if (this.#step >= least) return Promise.resolve();
    return new Promise((resolve, reject) => {
      const leave = () => {
        this.#waiting.delete(begin);
        reject(cancelled(least));
      };
      const begin = () => {
        this.#waiting.delete(begin);
        signal.removeEventListener('abort', leave);
        resolve();
      };
      this.#waiting.set(begin, least);
      signal.addEventListener('abort', leave, { once: true });
    });
  }
}

const cancelled = (least: number) =>
  new FuseMeshError('cancelled', `The caller left before weights of step ${least} were served.`);
