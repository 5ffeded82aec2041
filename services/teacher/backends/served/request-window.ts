/** Fewer requests than this keep no server busy. */
const least = 8;

/**
 * How many requests a server has under way at most: halved when it has too much to do, one more for every round of good
 * answers (additive increase, multiplicative decrease).
 */
export class RequestWindow {
  readonly #most: number;
  readonly #least: number;
  #size: number;
  #inHand = 0;
  /** Counts cuts: answers to requests sent before the last one say nothing new. */
  #cuts = 0;

  constructor(most: number) {
    this.#most = most;
    this.#least = Math.min(least, most);
    this.#size = most;
  }

  get size(): number {
    return Math.floor(this.#size);
  }

  get inHand(): number {
    return this.#inHand;
  }

  get hasRoom(): boolean {
    return this.#inHand < this.size;
  }

  /** A request begins. @returns what ends it: with what the answer says of the server */
  enter(): (answer: 'good' | 'overload' | 'other') => void {
    const cuts = this.#cuts;
    this.#inHand++;
    return (answer) => {
      this.#inHand--;
      if (answer === 'good') this.#size = Math.min(this.#most, this.#size + 1 / this.#size);
      if (answer !== 'overload' || cuts !== this.#cuts) return;
      this.#cuts++;
      this.#size = Math.max(this.#least, this.#size / 2);
    };
  }
}
