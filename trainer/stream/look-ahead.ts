import type { Change } from '../change.ts';

/**
 * What has been read of one stream and not yet been used, by document number. Replicas of a teacher publish
 * out of order and a teacher that died may publish a document again, so the first of each document in the
 * order of the stream counts: a restart reads the same one.
 */
export class LookAhead<T> {
  readonly #capacity: number;
  readonly #change: Change;
  readonly #waiting = new Map<number, T>();
  /** What was read, in the order of the stream, from the first that no checkpoint covers. */
  #read: { readonly document: number; readonly position: number }[] = [];
  #next: number;
  #lastPosition = 0;

  /**
   * @param next the first document that is wanted
   * @param capacity how many may wait, save that the next wanted one is always read for
   * @param change announced whenever something arrives or is taken
   */
  constructor(next: number, capacity: number, change: Change) {
    this.#next = next;
    this.#capacity = capacity;
    this.#change = change;
  }

  /** How many wait to be used. */
  get size(): number {
    return this.#waiting.size;
  }

  /** Takes in what was read. Documents that are used already, and second copies, are let go. */
  offer(document: number, position: number, value: T): void {
    this.#lastPosition = position;
    this.#read.push({ document, position });
    if (document < this.#next || this.#waiting.has(document)) return;
    this.#waiting.set(document, value);
    this.#change.announce();
  }

  /** Takes in the next wanted document's part where it came another way than by the stream. */
  put(value: T): void {
    this.#waiting.set(this.#next, value);
    this.#change.announce();
  }

  /** The next wanted document's part, which stays; undefined before it has come. */
  get next(): T | undefined {
    return this.#waiting.get(this.#next);
  }

  /** Whether anything has been read yet. */
  get begun(): boolean {
    return this.#lastPosition > 0;
  }

  /** Numbers of those that wait to be used, in no order. */
  get numbers(): Iterable<number> {
    return this.#waiting.keys();
  }

  /** Whether the next wanted document is here. */
  get ready(): boolean {
    return this.#waiting.has(this.#next);
  }

  /** The next wanted document's part; ready must hold. */
  take(): T {
    const value = this.#waiting.get(this.#next);
    if (value === undefined) throw new RangeError(`document ${this.#next} has not come`);
    this.#waiting.delete(this.#next);
    this.#next++;
    this.#change.announce();
    return value;
  }

  /** The next wanted document's part is not needed, whether it has come or not. */
  pass(): void {
    this.#waiting.delete(this.#next);
    this.#next++;
    this.#change.announce();
  }

  /**
   * The next wanted document's part has come and is none: it counts as not come.
   *
   * @returns its position in the stream; 0 where it came another way
   */
  withdraw(): number {
    this.#waiting.delete(this.#next);
    return this.#read.find(({ document }) => document === this.#next)?.position ?? 0;
  }

  /** Waits until more may be read. */
  async room(signal: AbortSignal): Promise<void> {
    while (!signal.aborted && this.#waiting.size >= this.#capacity && this.#waiting.has(this.#next)) {
      await this.#change.next();
    }
  }

  /** Documents before this one are covered by a checkpoint. */
  forget(documents: number): void {
    const uncovered = this.#read.findIndex(({ document }) => document >= documents);
    this.#read = uncovered === -1 ? [] : this.#read.slice(uncovered);
  }

  /** Up to which position the stream holds nothing but covered documents; 0 where there is none. */
  get coveredPosition(): number {
    return this.#read.length === 0 ? this.#lastPosition : this.#read[0].position - 1;
  }
}
