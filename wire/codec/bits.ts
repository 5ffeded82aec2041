/**
 * Values one behind another in a stream of bits, each from its lowest bit up, into bytes from their lowest bit up. Numbers
 * that are mostly small are written by Rice's code (R. F. Rice, 1979), that of Golomb with a power of two: with parameter
 * r, a value's quotient by 2^r as so many zeros and a one, then its lowest r bits.
 */
export class BitWriter {
  readonly #bytes: Uint8Array<ArrayBuffer>;
  readonly #view: DataView;
  #position = 0;
  /** The lowest `held` bits are not written yet: fewer than 8 between values. */
  #buffered = 0;
  #held = 0;

  /** @param capacity bytes that the stream has at most */
  constructor(capacity: number) {
    this.#bytes = new Uint8Array(capacity + padding);
    this.#view = new DataView(this.#bytes.buffer);
  }

  /** @param bits 0 to 24 @param value below 2^bits */
  write(value: number, bits: number): void {
    const ahead = this.#buffered | (value << this.#held);
    this.#view.setInt32(this.#position, ahead, true);
    const end = this.#held + bits;
    this.#position += end >>> 3;
    this.#buffered = ahead >>> (end & ~7);
    this.#held = end & 7;
  }

  /** Writes the first `count` values by Rice's code. @param values below 2^24 @param parameter 0 to 23 */
  writeRice(values: Int32Array, count: number, parameter: number): void {
    const view = this.#view;
    const mask = (1 << parameter) - 1;
    let position = this.#position;
    let buffered = this.#buffered;
    let held = this.#held;
    for (let i = 0; i < count; i++) {
      const value = values[i];
      let zeros = value >>> parameter;
      while (zeros + 1 + parameter > 24) {
        const some = Math.min(zeros, 16);
        view.setInt32(position, buffered, true);
        const end = held + some;
        position += end >>> 3;
        buffered >>>= end & ~7;
        held = end & 7;
        zeros -= some;
      }
      const ahead = buffered | (((1 | ((value & mask) << 1)) << zeros) << held);
      view.setInt32(position, ahead, true);
      const end = held + zeros + 1 + parameter;
      position += end >>> 3;
      buffered = ahead >>> (end & ~7);
      held = end & 7;
    }
    this.#position = position;
    this.#buffered = buffered;
    this.#held = held;
  }

  /** The bytes so far, the last one filled up with zeros. */
  finish(): Uint8Array<ArrayBuffer> {
    this.#view.setInt32(this.#position, this.#buffered, true);
    return this.#bytes.slice(0, this.#position + (this.#held > 0 ? 1 : 0));
  }
}

/** The inverse of {@link BitWriter}. Beyond the end it reads zeros: who reads looks at `overrun` now and then. */
export class BitReader {
  /** With zeros behind the end. */
  readonly #view: DataView;
  readonly #end: number;
  #position = 0;

  constructor(bytes: Uint8Array) {
    const padded = new Uint8Array(bytes.length + padding);
    padded.set(bytes);
    this.#view = new DataView(padded.buffer);
    this.#end = 8 * bytes.length;
  }

  /** Whether more was read than there is. */
  get overrun(): boolean {
    return this.#position > this.#end;
  }

  /** Whether all was read, but for zeros that fill up the last byte. */
  get exhausted(): boolean {
    const left = this.#end - this.#position;
    return left >= 0 && left < 8 && this.read(left) === 0;
  }

  /** @param bits 0 to 24 */
  read(bits: number): number {
    if (this.#position > this.#end) return 0;
    const value = this.#ahead(this.#position) & ((1 << bits) - 1);
    this.#position += bits;
    return value;
  }

  /** Reads `count` values by Rice's code; −1 for one of more than 31 bits. @param parameter 0 to 23 */
  readRice(values: Int32Array, count: number, parameter: number): void {
    const view = this.#view;
    const mask = (1 << parameter) - 1;
    const end = this.#end;
    const most = 0x7fffffff >>> parameter;
    let position = this.#position;
    for (let i = 0; i < count; i++) {
      if (position > end) {
        values[i] = 0;
        continue;
      }
      // At least 25 bits, most often the whole value.
      let ahead = (view.getInt32(position >>> 3, true) >>> (position & 7)) | 0;
      let zeros = 31 - Math.clz32(ahead & (~ahead + 1));
      let quotient = zeros;
      if (ahead === 0 || zeros + 1 + parameter > 25) {
        quotient = this.#zeros(position);
        position += quotient;
        ahead = this.#ahead(position);
        zeros = 0;
      }
      const value = (quotient << parameter) | ((ahead >>> (zeros + 1)) & mask);
      values[i] = quotient > most ? -1 : value;
      position += zeros + 1 + parameter;
    }
    this.#position = position;
  }

  /** How many zeros there are from a place on, up to the end. */
  #zeros(from: number): number {
    let position = from;
    while (position < this.#end) {
      const ahead = this.#ahead(position) & 0xffffff;
      if (ahead !== 0) return position - from + 31 - Math.clz32(ahead & -ahead);
      position += 24;
    }
    return this.#end - from;
  }

  /** At least the next 25 bits, from the lowest up. */
  #ahead(position: number): number {
    return (this.#view.getInt32(position >>> 3, true) >>> (position & 7)) | 0;
  }
}

/** No value begins beyond the end, and none is longer than 25 bits from its last zero on. */
const padding = 8;
