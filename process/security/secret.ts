import { createHash, timingSafeEqual } from 'node:crypto';

/** A text that must not be seen: whoever prints, logs or stores the object does not get it. */
export class Secret {
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  /** The text itself, for what sends it. */
  reveal(): string {
    return this.#text;
  }

  /** Whether a text is the same. It takes as long for one that is nearly right as for one that is not at all. */
  matches(text: string): boolean {
    return timingSafeEqual(digest(this.#text), digest(text));
  }
}

/** Of one length always, as the comparison wants it. */
const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
