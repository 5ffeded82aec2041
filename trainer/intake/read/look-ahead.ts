import type { Notifier } from '../../../process/lifecycle/notifier.ts';

/** What came, and when, as performance.now(). */
interface Waiting<T> {
  readonly value: T;
  readonly at: number;
}

/**
 * What has been read of one stream and not yet been used, by document number. Replicas of a teacher publish
 * out of order and a teacher that died may publish a document again, so the first of each document in the
 * order of the stream counts: a restart reads the same one.
 */
export class LookAhead<T> {
  readonly #capacity: number;
  readonly #notifier: Notifier;
  readonly #waiting = new Map<number, Waiting<T>>();
  /** What was read, in the order of the stream, from the first that no checkpoint covers. */
  #read: { readonly document: number; readonly position: number }[] = [];
  #next: number;
  #lastPosition = 0;
  #lastDocument = -1;
  #life = '';
  #newest = -1;
  #late = 0;

  /**
   * @param next the first document that is wanted
   * @param capacity how many may wait, save that the next wanted one is always read for
   * @param change announced whenever something arrives or is taken
   */
  constructor(next: number, capacity: number, notifier: Notifier) {
    this.#next = next;
    this.#capacity = capacity;
    this.#notifier = notifier;
  }

  /** How many wait to be used. */
  get size(): number {
    return this.#waiting.size;
  }

  /**
   * Takes in what was read. Documents that are used already, and second copies, are let go.
   *
   * @param life of the stream; positions of an earlier one mean nothing any more
   * @param at when it came, as performance.now()
   */
  offer(document: number, position: number, value: T, life = '', at = performance.now()): void {
    if (life !== this.#life) this.#read = [];
    this.#life = life;
    this.#lastPosition = position;
    this.#lastDocument = document;
    this.#read.push({ document, position });
    this.#newest = Math.max(this.#newest, document);
    if (document < this.#next) this.#late++;
    this.put(document, value, at);
  }

  /** Takes in what came another way than by the stream. What is used already, or here, is let go. */
  put(document: number, value: T, at = performance.now()): void {
    if (document < this.#next || this.#waiting.has(document)) return;
    this.#waiting.set(document, { value, at });
    this.#notifier.notifyAll();
  }

  /** Number of the next wanted document. */
  get nextNumber(): number {
    return this.#next;
  }

  /** A document's part, which stays; undefined where it is not here. */
  peek(document: number): T | undefined {
    return this.#waiting.get(document)?.value;
  }

  /** When the next wanted document's part came, as performance.now(); undefined before. */
  get arrived(): number | undefined {
    return this.#waiting.get(this.#next)?.at;
  }

  /** By how many documents what was read last is behind the next wanted one; 0 where it is not. */
  get behind(): number {
    return Math.max(0, this.#next - 1 - this.#newest);
  }

  /** How many came after they had been passed over, second copies of used ones among them. */
  get late(): number {
    return this.#late;
  }

  /** Whether a document's part is here and not used yet. */
  has(document: number): boolean {
    return this.#waiting.has(document);
  }

  /** Of a stream whose numbers rise: whether later ones were read and the next wanted is not here. */
  get passedOver(): boolean {
    return this.#lastDocument > this.#next && !this.ready;
  }

  /** Of a stream whose numbers rise without gaps: where a document is in it; undefined before one was read. */
  positionOf(document: number): number | undefined {
    return this.#lastPosition === 0 ? undefined : this.#lastPosition + document - this.#lastDocument;
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
    if (!this.ready) throw new RangeError(`document ${this.#next} has not come`);
    return this.takeOrPass() as T;
  }

  /** The next wanted document's part; undefined where it has not come: it is passed over, and let go if it does. */
  takeOrPass(): T | undefined {
    const waiting = this.#waiting.get(this.#next);
    this.#waiting.delete(this.#next);
    this.#next++;
    this.#notifier.notifyAll();
    return waiting?.value;
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
      await this.#notifier.next();
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

  /** The life of the stream that positions belong to. */
  get life(): string {
    return this.#life;
  }
}
