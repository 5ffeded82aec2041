import { FuseMeshError } from '../../errors/fusemesh-error.ts';

/** What waits or is in hand. */
export interface Applicant {
  /** Most tokens of its cache. */
  readonly most: number;
}

export interface AdmissionLimits {
  /** Most sequences at a time. */
  readonly slots: number;
  /** Most bytes of all caches. */
  readonly cacheBytes: number;
  /** Bytes of the caches of one version of the model, by the most tokens of each sequence. */
  bytesOf(most: readonly number[]): number;
}

/**
 * Who may begin: the first come first, as soon as there is a slot and memory for all the tokens that it may have. Nobody
 * overtakes, so that long texts get their turn too.
 *
 * @typeParam Version tells versions of the weights apart, of which each has a cache
 */
export class Admission<A extends Applicant, Version> {
  readonly #limits: AdmissionLimits;
  readonly #waiting: A[] = [];
  readonly #inHand = new Map<A, Version>();

  constructor(limits: AdmissionLimits) {
    this.#limits = limits;
  }

  get waiting(): readonly A[] {
    return this.#waiting;
  }

  /** @throws FuseMeshError invalid_argument for one that has no room even alone */
  enter(applicant: A): void {
    const { cacheBytes, bytesOf } = this.#limits;
    const alone = bytesOf([applicant.most]);
    if (alone > cacheBytes) {
      throw new FuseMeshError(
        'invalid_argument',
        `Prompt and max_tokens are ${applicant.most} tokens together, whose keys and values take ${alone} bytes, and there are ${cacheBytes}: ask for fewer tokens`,
      );
    }
    this.#waiting.push(applicant);
  }

  /** Takes the next, if it may begin now. @param version that it would begin on */
  next(version: Version): A | undefined {
    const [first] = this.#waiting;
    if (!first || this.#inHand.size === this.#limits.slots || !this.#hasRoom(first, version))
      return undefined;
    this.#waiting.shift();
    this.#inHand.set(first, version);
    return first;
  }

  /** Whether it waits or is in hand, it goes. */
  leave(applicant: A): void {
    this.#inHand.delete(applicant);
    const place = this.#waiting.indexOf(applicant);
    if (place >= 0) this.#waiting.splice(place, 1);
  }

  #hasRoom({ most }: A, version: Version): boolean {
    const ofVersions = new Map<Version, number[]>([[version, [most]]]);
    for (const [applicant, its] of this.#inHand) {
      const others = ofVersions.get(its);
      if (others) others.push(applicant.most);
      else ofVersions.set(its, [applicant.most]);
    }
    let bytes = 0;
    for (const sequences of ofVersions.values()) bytes += this.#limits.bytesOf(sequences);
    return bytes <= this.#limits.cacheBytes;
  }
}
