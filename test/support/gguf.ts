import { readFile } from 'node:fs/promises';
import { type GgufHeader, type GgufValue, parseHeader } from '../../model/gguf/header.ts';

export const goldenGguf = (name: string): string =>
  new URL(`../golden-gguf/${name}`, import.meta.url).pathname;

/** The bytes of a golden file with another head; tensors keep their data. */
export async function changedGguf(
  name: string,
  change: (head: Pick<GgufHeader, 'metadata' | 'tensors'>) => Partial<GgufHeader>,
): Promise<Buffer> {
  const bytes = await readFile(goldenGguf(name));
  const head = parseHeader(bytes);
  return ggufBytes({ ...head, ...change(head) }, bytes.subarray(head.dataBegins));
}

/** A file of version 3. Numbers are written as float64. */
export function ggufBytes(
  { metadata, tensors }: Pick<GgufHeader, 'metadata' | 'tensors'>,
  data: Uint8Array,
): Buffer {
  const head = Buffer.concat([
    Buffer.from('GGUF'),
    uint32(3),
    uint64(tensors.length),
    uint64(metadata.size),
    ...[...metadata].flatMap(([key, value]) => [text(key), uint32(typeOf(value)), encode(value)]),
    ...tensors.flatMap(({ name, shape, type, offset }) => [
      text(name),
      uint32(shape.length),
      ...shape.toReversed().map(uint64),
      uint32(type),
      uint64(offset),
    ]),
  ]);
  return Buffer.concat([head, Buffer.alloc((32 - (head.length % 32)) % 32), data]);
}

function typeOf(value: GgufValue): number {
  if (typeof value === 'boolean') return 7;
  if (typeof value === 'string') return 8;
  return typeof value === 'number' ? 12 : 9;
}

function encode(value: GgufValue): Buffer {
  if (typeof value === 'boolean') return Buffer.of(value ? 1 : 0);
  if (typeof value === 'string') return text(value);
  if (typeof value === 'number') {
    const bytes = Buffer.alloc(8);
    bytes.writeDoubleLE(value);
    return bytes;
  }
  return Buffer.concat([uint32(typeOf(value[0] ?? 0)), uint64(value.length), ...value.map(encode)]);
}

function text(value: string): Buffer {
  const bytes = Buffer.from(value);
  return Buffer.concat([uint64(bytes.length), bytes]);
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}

function uint64(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt(value));
  return bytes;
}
