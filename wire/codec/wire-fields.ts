import { BinaryReader, WireType } from '@bufbuild/protobuf/wire';

/** One field of an encoded message. */
export interface WireField {
  readonly number: number;
  /** Of a length-delimited field, its length in bytes; of a varint its value, where that is below 2^32. */
  readonly size: number;
}

/** Fields that a message without lists may have, with room for those of newer versions. */
export const mostFields = 64;

/**
 * Lists a message's fields without decoding them: what is cheap to send must not be expensive to read, and decoding
 * makes an object for every field that is unknown or comes twice.
 *
 * @param most fields that it may have
 * @throws RangeError, or what the reader throws, where the bytes are no message or hold too many fields
 */
export function wireFields(bytes: Uint8Array, most = mostFields): WireField[] {
  const reader = new BinaryReader(bytes);
  const fields: WireField[] = [];
  while (reader.pos < reader.len) {
    if (fields.length === most) throw new RangeError(`more than ${most} fields`);
    const [number, wireType] = reader.tag();
    if (wireType === WireType.Varint) {
      const value = reader.uint64();
      fields.push({ number, size: Math.min(Number(value), 0xffffffff) });
    } else {
      const { length } = reader.skip(wireType, number);
      fields.push({ number, size: length });
    }
  }
  if (reader.pos > reader.len) throw new RangeError('premature end of the message');
  return fields;
}
