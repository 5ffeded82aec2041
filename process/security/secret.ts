import { createHash, timingSafeEqual } from 'node:crypto';

/** A text that must not be seen: printing, logging or storing the object does not reveal it. */
export class Secret {
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  /** The text itself, for what sends it. */
  reveal(): string {
    return this.#text;
  }

  /** Whether a text is the same, in a time that does not depend on how much of it is right. */
  matches(text: string): boolean {
    return timingSafeEqual(digest(this.#text), digest(text));
  }
}

/** Of one length always, as the comparison wants it. */
const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
