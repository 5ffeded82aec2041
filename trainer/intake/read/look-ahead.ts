import type { Notifier } from '../../../process/lifecycle/notifier.ts';
import type { TextDistribution } from '../../../wire/codec/text-distribution.ts';

/** Most bytes of messages that wait to be used, as they came; decoded they take about three times as much. */
const mostBytes = 32 * 1024 * 1024;

/** A message as it came, for the dead letters. */
export interface Message {
  readonly bytes: Uint8Array;
  /** In its stream; 0 where it came another way. */
  readonly position: number;
}

/** A source with what has been read of its distributions and not yet been used. */
export interface SourceQueue {
  readonly name: string;
  readonly distributions: LookAhead<TextDistribution>;
}

/** How a part came. */
interface Arrival {
  /** Of the stream; positions of an earlier life mean nothing any more. */
  readonly life?: string;
  /** Raw bytes of the message. */
  readonly bytes?: Uint8Array;
  /** As performance.now(). */
  readonly at?: number;
}

interface Waiting<T> {
  readonly value: T;
  readonly bytes: Uint8Array | undefined;
  readonly at: number;
}

/**
 * What has been read of one stream and not yet been used, by document number. Replicas of a teacher publish
 * out of order, and a teacher that died may publish a document again, so the first copy of each document in the
 * order of the stream counts: a restart reads the same one.
 */
export class LookAhead<T> {
  readonly #capacity: number;
  readonly #notifier: Notifier;
  readonly #waiting = new Map<number, Waiting<T>>();
  /** What was read, in the order of the stream, from the first that no checkpoint covers. */
  #read: { readonly document: number; readonly position: number }[] = [];
  /** Positions behind uncovered documents of what will never be used: they take room in the stream. */
  #strays: number[] = [];
  /** Documents whose part came and cannot be used. */
  readonly #rejected = new Set<number>();
  #next: number;
  #lastPosition = 0;
  #lastDocument = -1;
  #life = '';
  #newest = -1;
  #late = 0;
  /** Of the messages that wait. */
  #bytes = 0;

  /**
   * @param next the first document that is wanted
   * @param capacity how many may wait, save that the next wanted one is always read for
   * @param notifier notified whenever something arrives or is taken
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

  /** Takes in what was read. Documents that are used already, and second copies, are dropped. */
  offer(document: number, position: number, value: T, { life = '', ...arrival }: Arrival = {}): void {
    if (life !== this.#life) {
      this.#read = [];
      this.#strays = [];
    }
    this.#life = life;
    this.#lastPosition = position;
    this.#lastDocument = document;
    this.#read.push({ document, position });
    this.#newest = Math.max(this.#newest, document);
    if (document < this.#next) this.#late++;
    this.put(document, value, arrival);
  }

  /** Takes in what came another way than by the stream. What is used already, or waits already, is dropped. */
  put(
    document: number,
    value: T,
    { bytes, at = performance.now() }: Pick<Arrival, 'bytes' | 'at'> = {},
  ): void {
    if (document < this.#next || this.#waiting.has(document)) return;
    this.#waiting.set(document, { value, bytes, at });
    this.#bytes += bytes?.length ?? 0;
    this.#notifier.notifyAll();
  }

  /** Number of the next wanted document. */
  get nextNumber(): number {
    return this.#next;
  }

  /** A document's part, which keeps waiting; undefined where it is not here. */
  peek(document: number): T | undefined {
    return this.#waiting.get(document)?.value;
  }

  /** The message that a waiting document's part came in; undefined where that is not known. */
  messageOf(document: number): Message | undefined {
    const bytes = this.#waiting.get(document)?.bytes;
    if (bytes === undefined) return undefined;
    return { bytes, position: this.#read.find((each) => each.document === document)?.position ?? 0 };
  }

  /** The bytes that the next wanted document's part came in; undefined where it has not come or came another way. */
  get bytes(): Uint8Array | undefined {
    return this.#waiting.get(this.#next)?.bytes;
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

  /** The next wanted document's part; undefined where it has not come: it is passed over, and dropped if it comes later. */
  takeOrPass(): T | undefined {
    const waiting = this.#remove();
    this.#rejected.delete(this.#next);
    this.#next++;
    this.#notifier.notifyAll();
    return waiting?.value;
  }

  /** A part of this document came and cannot be used. Of a document that has been used, nothing is wanted any more. */
  reject(document: number): void {
    if (document >= this.#next) this.#rejected.add(document);
  }

  /** Rejects the next wanted document's part, which waits: it counts as not come. */
  withdraw(): void {
    this.#remove();
    this.reject(this.#next);
  }

  /** The next wanted document's part waits no more. */
  #remove(): Waiting<T> | undefined {
    const waiting = this.#waiting.get(this.#next);
    this.#waiting.delete(this.#next);
    this.#bytes -= waiting?.bytes?.length ?? 0;
    return waiting;
  }

  /** Whether a part of this document was rejected since this was last asked. */
  takeRejected(document: number): boolean {
    return this.#rejected.delete(document);
  }

  /** Waits until more may be read. */
  async room(signal: AbortSignal): Promise<void> {
    const isFull = () => this.#waiting.size >= this.#capacity || this.#bytes >= mostBytes;
    while (!signal.aborted && isFull() && this.#waiting.has(this.#next)) await this.#notifier.next();
  }

  /** Documents before this one are covered by a checkpoint. */
  forget(documents: number): void {
    const uncovered = this.#read.findIndex(({ document }) => document >= documents);
    const rest = uncovered === -1 ? [] : this.#read.slice(uncovered);
    const seen = new Set<number>();
    this.#read = rest.filter(({ document, position }) => {
      const isSecondCopy = seen.has(document) && !this.#rejected.has(document);
      seen.add(document);
      if (document >= documents && !isSecondCopy) return true;
      this.#strays.push(position);
      return false;
    });
  }

  /**
   * Where the stream holds what will never be used, behind uncovered documents: late copies of covered ones, and second
   * copies. Forgotten by the call. One that stands last is kept for a later call: nats-server 2.9.10 no longer finds the
   * messages before a last one of their subject that is removed.
   */
  takeStrays(): number[] {
    const strays = this.#strays.filter((position) => position < this.#lastPosition);
    this.#strays = this.#strays.filter((position) => position >= this.#lastPosition);
    return strays;
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
