import { FuseMeshError } from '../../errors/fusemesh-error.ts';

/** Limits calls that are in hand at a time. One too many is refused at once: its caller can go elsewhere, a queue only grows. */
export class CallSlots {
  readonly #most: number;
  readonly #who: string;
  readonly #what: string;
  #taken = 0;

  /**
   * @param who refuses: "teacher"
   * @param what takes a slot, for the refusal: "texts to score"
   */
  constructor(most: number, who: string, what: string) {
    this.#most = most;
    this.#who = who;
    this.#what = what;
  }

  get taken(): number {
    return this.#taken;
  }

  /**
   * @param count slots that are taken together or not at all
   * @returns gives the slots back
   * @throws FuseMeshError resource_exhausted when there are not as many left
   */
  take(count = 1): () => void {
    if (this.#taken + count > this.#most) {
      throw new FuseMeshError(
        'resource_exhausted',
        `The ${this.#who} has ${this.#taken} ${this.#what} in hand and takes ${this.#most}: call again later, or call a replica.`,
      );
    }
    this.#taken += count;
    return () => {
      this.#taken -= count;
    };
  }
}
