import { FuseMeshError } from '../../../errors/fusemesh-error.ts';

/** Limits calls that are in hand at a time. One too many is refused at once: its caller can go elsewhere, a queue only grows. */
export class CallSlots {
  readonly #most: number;
  readonly #what: string;
  #taken = 0;

  /** @param what takes a slot, for the refusal: "texts to score" */
  constructor(most: number, what: string) {
    this.#most = most;
    this.#what = what;
  }

  /**
   * @returns gives the slot back
   * @throws FuseMeshError resource_exhausted when all are taken
   */
  take(): () => void {
    if (this.#taken >= this.#most) {
      throw new FuseMeshError(
        'resource_exhausted',
        `The teacher has ${this.#most} ${this.#what} in hand, as many as it takes: call again later, or call a replica.`,
      );
    }
    this.#taken++;
    return () => {
      this.#taken--;
    };
  }
}
