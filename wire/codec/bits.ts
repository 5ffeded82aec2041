/** Values one behind another in a stream of bits, each from its lowest bit up, into bytes from their lowest bit up. */
export class BitWriter {
  readonly #bytes: Uint8Array;
  #position = 0;
  /** The lowest `held` bits are not written yet: fewer than 8 between values. */
  #buffered = 0;
  #held = 0;

  /** @param capacity bytes that the stream has at most */
  constructor(capacity: number) {
    this.#bytes = new Uint8Array(capacity);
  }

  /** @param bits 0 to 24 @param value below 2^bits */
  write(value: number, bits: number): void {
    this.#buffered |= value << this.#held;
    this.#held += bits;
    while (this.#held >= 8) {
      this.#bytes[this.#position++] = this.#buffered;
      this.#buffered >>>= 8;
      this.#held -= 8;
    }
  }

  /**
   * Golomb's code with a power of two (R. F. Rice, 1979): the quotient by 2^bits as zeros and a one, then the remainder.
   *
   * @param bits 0 to 23
   */
  writeRice(value: number, bits: number): void {
    let quotient = value >>> bits;
    for (; quotient >= 16; quotient -= 16) this.write(0, 16);
    this.write(1 << quotient, quotient + 1);
    this.write(value & ((1 << bits) - 1), bits);
  }

  /** The bytes so far, the last one filled up with zeros. */
  finish(): Uint8Array<ArrayBuffer> {
    if (this.#held > 0) this.#bytes[this.#position++] = this.#buffered;
    return this.#bytes.slice(0, this.#position);
  }
}

/**
 * The inverse of {@link BitWriter}. Beyond the end it reads zeros: who reads looks at `overrun` after every few values.
 */
export class BitReader {
  readonly #bytes: Uint8Array;
  readonly #end: number;
  #position = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#end = 8 * bytes.length;
  }

  /** Whether more was read than there is. */
  get overrun(): boolean {
    return this.#position > this.#end;
  }

  /** Whether all was read, but for zeros that fill up the last byte. */
  get exhausted(): boolean {
    const left = this.#end - this.#position;
    return left >= 0 && left < 8 && this.#peek() === 0;
  }

  /** @param bits 0 to 24 */
  read(bits: number): number {
    const value = this.#peek() & ((1 << bits) - 1);
    this.#position += bits;
    return value;
  }

  /** @param bits 0 to 23 */
  readRice(bits: number): number {
    let quotient = 0;
    let ahead = this.#peek() & 0xffffff;
    while (ahead === 0 && this.#position < this.#end) {
      quotient += 24;
      this.#position += 24;
      ahead = this.#peek() & 0xffffff;
    }
    const zeros = 31 - Math.clz32(ahead & -ahead);
    quotient += zeros;
    if (ahead === 0 || quotient > 0x7fffffff >>> bits) {
      this.#position = this.#end + 1;
      return 0;
    }
    this.#position += zeros + 1;
    return (quotient << bits) | this.read(bits);
  }

  /** At least the next 25 bits, from the lowest up. */
  #peek(): number {
    const begin = this.#position >>> 3;
    const bytes = this.#bytes;
    const ahead =
      begin + 4 <= bytes.length
        ? bytes[begin] | (bytes[begin + 1] << 8) | (bytes[begin + 2] << 16) | (bytes[begin + 3] << 24)
        : (bytes[begin] ?? 0) | ((bytes[begin + 1] ?? 0) << 8) | ((bytes[begin + 2] ?? 0) << 16);
    return ahead >>> (this.#position & 7);
  }
}
