import { FuseMeshError } from '../../../../errors/fusemesh-error.ts';

const quote = 0x22;
const backslash = 0x5c;
const comma = 0x2c;
const colon = 0x3a;
const minus = 0x2d;
const plus = 0x2b;
const point = 0x2e;
const zero = 0x30;
const openBrace = 0x7b;
const closeBrace = 0x7d;
const openBracket = 0x5b;
const closeBracket = 0x5d;

/** 10^0 … 10^22: the powers of ten that a float64 holds exactly. */
const powersOfTen = Float64Array.from({ length: 23 }, (_, i) => Number(`1e${i}`));
/** More digits change no float32. */
const mostDigits = 18;

/**
 * Reads JSON byte by byte, where JSON.parse would make an object of every token: the caller says what it expects next.
 * Every method throws FuseMeshError data_loss where the text is something else or ends too early.
 */
export class JsonScanner {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  /** Reads an object: `member` is called before each value and must read it. The key stands in `isKey` and `integerKey`. */
  object(member: () => void): void {
    this.#expect(openBrace);
    if (this.#skipIf(closeBrace)) return;
    do {
      this.#readKey();
      this.#expect(colon);
      member();
    } while (this.#skipIf(comma));
    this.#expect(closeBrace);
  }

  /** Reads an array: `item` is called before each value and must read it. */
  array(item: (index: number) => void): void {
    this.#expect(openBracket);
    if (this.#skipIf(closeBracket)) return;
    let index = 0;
    do item(index++);
    while (this.#skipIf(comma));
    this.#expect(closeBracket);
  }

  #keyBegin = 0;
  #keyEnd = 0;

  #readKey(): void {
    this.#skipSpace();
    this.#keyBegin = this.#at + 1;
    this.#skipString();
    this.#keyEnd = this.#at - 1;
  }

  /** Whether the key read last is this one, of ASCII without escapes. */
  isKey(name: string): boolean {
    const begin = this.#keyBegin;
    if (this.#keyEnd - begin !== name.length) return false;
    for (let i = 0; i < name.length; i++) if (this.#bytes[begin + i] !== name.charCodeAt(i)) return false;
    return true;
  }

  /** The key read last as a whole number; −1 where it is none. */
  integerKey(): number {
    const end = this.#keyEnd;
    if (end === this.#keyBegin || end - this.#keyBegin > 9) return -1;
    let value = 0;
    for (let at = this.#keyBegin; at < end; at++) {
      const digit = this.#bytes[at] - zero;
      if (digit < 0 || digit > 9) return -1;
      value = 10 * value + digit;
    }
    return value;
  }

  /** Reads `null`, where that comes next. */
  skipNull(): boolean {
    this.#skipSpace();
    if (this.#bytes[this.#at] !== 0x6e) return false;
    this.skip();
    return true;
  }

  /**
   * Reads a number. It differs from the one JSON.parse gives by some last bits at most: a float32 that was written as a
   * float64 comes out as it was.
   */
  number(): number {
    this.#skipSpace();
    const bytes = this.#bytes;
    let at = this.#at;
    const negative = bytes[at] === minus;
    if (negative) at++;
    const first = at;
    let mantissa = 0;
    let digits = 0;
    let exponent = 0;
    let byte = bytes[at];
    for (; byte >= zero && byte <= 0x39; byte = bytes[++at]) {
      if (digits >= mostDigits) exponent++;
      else mantissa = 10 * mantissa + byte - zero;
      if (mantissa > 0) digits++;
    }
    if (at === first) this.#refuse('a number');
    if (byte === point) {
      for (byte = bytes[++at]; byte >= zero && byte <= 0x39; byte = bytes[++at]) {
        if (digits >= mostDigits) continue;
        mantissa = 10 * mantissa + byte - zero;
        exponent--;
        if (mantissa > 0) digits++;
      }
    }
    if (byte === 0x65 || byte === 0x45) {
      byte = bytes[++at];
      const sign = byte === minus ? -1 : 1;
      if (byte === minus || byte === plus) byte = bytes[++at];
      let power = 0;
      for (; byte >= zero && byte <= 0x39; byte = bytes[++at])
        power = Math.min(10 * power + byte - zero, 9999);
      exponent += sign * power;
    }
    this.#at = at;
    const value =
      exponent < -22 || exponent > 22
        ? mantissa * 10 ** exponent
        : exponent < 0
          ? mantissa / powersOfTen[-exponent]
          : mantissa * powersOfTen[exponent];
    return negative ? -value : value;
  }

  /** Reads a value of any kind, and gives its bytes. */
  raw(): Buffer {
    this.#skipSpace();
    const begin = this.#at;
    this.skip();
    return this.#bytes.subarray(begin, this.#at);
  }

  /** Reads a value of any kind. */
  skip(): void {
    this.#skipSpace();
    const byte = this.#bytes[this.#at];
    if (byte === quote) this.#skipString();
    else if (byte === openBrace) this.object(() => this.skip());
    else if (byte === openBracket) this.array(() => this.skip());
    else {
      const begin = this.#at;
      for (let next = byte; isOfWord(next); next = this.#bytes[++this.#at]);
      if (this.#at === begin) this.#refuse('a value');
    }
  }

  /** Nothing but space may come now. */
  end(): void {
    this.#skipSpace();
    if (this.#at < this.#bytes.length) this.#refuse('its end');
  }

  #skipString(): void {
    const bytes = this.#bytes;
    if (bytes[this.#at] !== quote) this.#refuse('a string');
    let at = this.#at + 1;
    for (;;) {
      const byte = bytes[at];
      if (byte === quote) break;
      if (byte === undefined) {
        this.#at = at;
        this.#refuse('the end of a string');
      }
      at += byte === backslash ? 2 : 1;
    }
    this.#at = at + 1;
  }

  #expect(byte: number): void {
    if (!this.#skipIf(byte)) this.#refuse(String.fromCharCode(byte));
  }

  #skipIf(byte: number): boolean {
    this.#skipSpace();
    if (this.#bytes[this.#at] !== byte) return false;
    this.#at++;
    return true;
  }

  #skipSpace(): void {
    for (let byte = this.#bytes[this.#at]; byte <= 0x20; byte = this.#bytes[++this.#at]);
  }

  #refuse(expected: string): never {
    const { length } = this.#bytes;
    const what =
      this.#at >= length ? `it ends after ${length} bytes` : `something else stands at byte ${this.#at}`;
    throw new FuseMeshError(
      'data_loss',
      `The answer is no JSON as expected: ${what} where ${expected} should be`,
    );
  }
}

/** Of a number, true, false, null, and of NaN and Infinity, which Python writes. */
const isOfWord = (byte: number | undefined): boolean =>
  byte !== undefined &&
  ((byte >= zero && byte <= 0x39) ||
    (byte >= 0x41 && byte <= 0x5a) ||
    (byte >= 0x61 && byte <= 0x7a) ||
    byte === minus ||
    byte === plus ||
    byte === point);
