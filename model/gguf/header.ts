/**
 * The head of a GGUF file (https://github.com/ggml-org/ggml/blob/master/docs/gguf.md), little-endian: magic, version,
 * counts, metadata, and where each tensor lies.
 */

export type GgufValue = number | boolean | string | readonly GgufValue[];

/** What the head says of a tensor. */
export interface TensorEntry {
  readonly name: string;
  /** Rows first, as PyTorch has it; ggml names the length of a row first. */
  readonly shape: readonly number[];
  /** The number of its ggml type. */
  readonly type: number;
  /** From the first byte of the tensors' data. */
  readonly offset: number;
}

export interface GgufHeader {
  readonly metadata: ReadonlyMap<string, GgufValue>;
  readonly tensors: readonly TensorEntry[];
  /** Where the tensors' data begin, from the file's first byte. */
  readonly dataBegins: number;
}

/** The bytes end before the head does: with more of the file it may be read. */
export class HeaderGoesOn extends Error {}

const defaultAlignment = 32;
/** ggml has no tensor of more dimensions. */
const mostDimensions = 4;

/**
 * Parses the head of a file.
 *
 * @param bytes from the file's first byte
 * @throws HeaderGoesOn when the head is longer, Error with a plain reason when it is none
 */
export function parseHeader(bytes: Buffer): GgufHeader {
  const cursor = new Cursor(bytes);
  if (cursor.bytes(4).toString('latin1') !== 'GGUF') throw new Error('it does not begin with GGUF');
  const version = cursor.uint32();
  if (version !== 2 && version !== 3) {
    // The version of a big-endian file looks like a large number.
    throw new Error(`it is of version ${version}, and only versions 2 and 3 in little-endian order are read`);
  }
  const tensorCount = cursor.uint64();
  const entryCount = cursor.uint64();

  const metadata = new Map<string, GgufValue>();
  for (let i = 0; i < entryCount; i++) {
    const key = cursor.string();
    metadata.set(key, cursor.value(cursor.uint32()));
  }
  const tensors: TensorEntry[] = [];
  for (let i = 0; i < tensorCount; i++) tensors.push(tensorEntry(cursor));

  const alignment = metadata.get('general.alignment') ?? defaultAlignment;
  if (typeof alignment !== 'number' || !(alignment > 0)) throw new Error('its general.alignment is no size');
  return { metadata, tensors, dataBegins: Math.ceil(cursor.at / alignment) * alignment };
}

function tensorEntry(cursor: Cursor): TensorEntry {
  const name = cursor.string();
  const dimensions = cursor.uint32();
  if (dimensions > mostDimensions) throw new Error(`the tensor ${name} has ${dimensions} dimensions`);
  const shape = Array.from({ length: dimensions }, () => cursor.uint64()).reverse();
  return { name, shape, type: cursor.uint32(), offset: cursor.uint64() };
}

/** Reads one thing after another. */
class Cursor {
  readonly #bytes: Buffer;
  at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  /** The next bytes. */
  bytes(length: number): Buffer {
    const begin = this.#next(length);
    return this.#bytes.subarray(begin, begin + length);
  }

  uint32(): number {
    return this.#bytes.readUInt32LE(this.#next(4));
  }

  uint64(): number {
    return safe(this.#bytes.readBigUInt64LE(this.#next(8)));
  }

  string(): string {
    return this.bytes(this.uint64()).toString('utf8');
  }

  /** A value of a type, by the type's number. */
  value(type: number): GgufValue {
    switch (type) {
      case 0:
        return this.#bytes.readUInt8(this.#next(1));
      case 1:
        return this.#bytes.readInt8(this.#next(1));
      case 2:
        return this.#bytes.readUInt16LE(this.#next(2));
      case 3:
        return this.#bytes.readInt16LE(this.#next(2));
      case 4:
        return this.uint32();
      case 5:
        return this.#bytes.readInt32LE(this.#next(4));
      case 6:
        return this.#bytes.readFloatLE(this.#next(4));
      case 7:
        return this.#bytes.readUInt8(this.#next(1)) !== 0;
      case 8:
        return this.string();
      case 9:
        return this.#array();
      case 10:
        return this.uint64();
      case 11:
        return safe(this.#bytes.readBigInt64LE(this.#next(8)));
      case 12:
        return this.#bytes.readDoubleLE(this.#next(8));
      default:
        throw new Error(`its metadata have a value of the unknown type ${type}`);
    }
  }

  #array(): GgufValue[] {
    const type = this.uint32();
    const length = this.uint64();
    const values: GgufValue[] = [];
    for (let i = 0; i < length; i++) values.push(this.value(type));
    return values;
  }

  /** Passes over some bytes, and returns where they begin. */
  #next(length: number): number {
    const begin = this.at;
    if (begin + length > this.#bytes.length) throw new HeaderGoesOn();
    this.at += length;
    return begin;
  }
}

function safe(value: bigint): number {
  const number = Number(value);
  if (!Number.isSafeInteger(number)) throw new Error(`it has the size ${value}, which no file has`);
  return number;
}
