/**
 * The safetensors format (https://github.com/huggingface/safetensors#format): 8 bytes little-endian length
 * of the header, the header as JSON, then the tensors' bytes, row by row, without gaps.
 */

/** Bytes an element, by dtype. */
const elementBytes = {
  F64: 8,
  F32: 4,
  F16: 2,
  BF16: 2,
  F8_E4M3: 1,
  F8_E5M2: 1,
  F8_E8M0: 1,
  F6_E2M3: 0.75,
  F6_E3M2: 0.75,
  F4: 0.5,
  C64: 8,
  I64: 8,
  I32: 4,
  I16: 2,
  I8: 1,
  U64: 8,
  U32: 4,
  U16: 2,
  U8: 1,
  BOOL: 1,
} as const;

export type Dtype = keyof typeof elementBytes;

/** Where a tensor lies within the data part of a file. */
export interface HeaderEntry {
  readonly name: string;
  readonly dtype: Dtype;
  readonly shape: readonly number[];
  /** From the first byte after the header. */
  readonly begin: number;
  readonly byteLength: number;
}

export interface Header {
  readonly entries: HeaderEntry[];
  readonly metadata: Readonly<Record<string, string>>;
}

/** Length prefix in bytes. */
export const prefixBytes = 8;
/** The reference implementation's limit. */
export const maximumHeaderBytes = 100_000_000;

/** Bytes that a tensor takes. */
export function tensorBytes(dtype: Dtype, shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, elementBytes[dtype]);
}

/**
 * Parses a header's JSON.
 *
 * @param dataBytes how many bytes follow the header
 * @throws Error with a plain reason when it is damaged
 */
export function parseHeader(json: string, dataBytes: number): Header {
  const fields: unknown = JSON.parse(json);
  if (!isRecord(fields)) throw new Error('its header is no JSON object');
  const entries: HeaderEntry[] = [];
  let metadata: Record<string, string> = {};
  for (const [name, value] of Object.entries(fields)) {
    if (name === '__metadata__') metadata = value as Record<string, string>;
    else entries.push(parseEntry(name, value, dataBytes));
  }
  return { entries, metadata };
}

function parseEntry(name: string, value: unknown, dataBytes: number): HeaderEntry {
  if (!isRecord(value)) throw new Error(`the entry of ${name} is no object`);
  const { dtype, shape, data_offsets: offsets } = value;
  if (typeof dtype !== 'string' || !(dtype in elementBytes)) {
    throw new Error(`${name} has the unknown dtype ${String(dtype)}`);
  }
  if (!isSizes(shape)) throw new Error(`${name} has no proper shape`);
  if (!isSizes(offsets) || offsets.length !== 2) throw new Error(`${name} has no proper data_offsets`);
  const [begin, end] = offsets;
  const known = dtype as Dtype;
  if (end - begin !== tensorBytes(known, shape)) {
    throw new Error(`${name} has ${end - begin} bytes, ${dtype} [${shape.join(', ')}] takes another number`);
  }
  if (end > dataBytes) throw new Error(`${name} ends after the file does`);
  return { name, dtype: known, shape, begin, byteLength: end - begin };
}

/** The file's first bytes, padded with spaces so that the data begin at a multiple of 8. */
export function formatHeader(
  entries: readonly HeaderEntry[],
  metadata: Readonly<Record<string, string>>,
): Uint8Array {
  const fields: Record<string, unknown> = { __metadata__: metadata };
  for (const { name, dtype, shape, begin, byteLength } of entries) {
    fields[name] = { dtype, shape, data_offsets: [begin, begin + byteLength] };
  }
  const json = Buffer.from(JSON.stringify(fields));
  const length = Math.ceil(json.length / 8) * 8;
  const header = Buffer.alloc(prefixBytes + length, ' ');
  header.writeBigUInt64LE(BigInt(length));
  json.copy(header, prefixBytes);
  return header;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isSizes(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((size) => Number.isSafeInteger(size) && size >= 0);
}
