import { crc32 } from 'node:zlib';

/** An entry: offset as float64, length and CRC-32 of the record's bytes as uint32, little-endian. */
export const entryBytes = 16;

/** Where a record is in its file; a length of 0 stands for one that there is not. */
export interface RecordPlace {
  readonly offset: number;
  readonly length: number;
  readonly checksum: number;
}

export function writePlace({ offset, length, checksum }: RecordPlace): Buffer {
  const entry = Buffer.alloc(entryBytes);
  entry.writeDoubleLE(offset, 0);
  entry.writeUInt32LE(length, 8);
  entry.writeUInt32LE(checksum, 12);
  return entry;
}

/** @param number of the record in the index */
export function readPlace(index: Buffer, number: number): RecordPlace {
  const at = number * entryBytes;
  return {
    offset: index.readDoubleLE(at),
    length: index.readUInt32LE(at + 8),
    checksum: index.readUInt32LE(at + 12),
  };
}

/** What tells damaged bytes of a record from whole ones. */
export const checksumOf = (bytes: Uint8Array): number => crc32(bytes);

/** Bytes of the file up to the end of its first records. */
export function bytesOfRecords(index: Buffer, records: number): number {
  if (records === 0) return 0;
  const { offset, length } = readPlace(index, records - 1);
  return offset + length;
}
