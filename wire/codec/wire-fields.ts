import { BinaryReader, WireType } from '@bufbuild/protobuf/wire';

/** One field of a message as it lies there. */
export interface WireField {
  readonly number: number;
  /** Of a length-delimited field, its length in bytes; of a varint its value, where that is below 2^32. */
  readonly size: number;
}

/** Fields that a message of ours may have, with room for those of newer versions. */
const mostFields = 64;

/**
 * Looks at a message's fields before anything is made of them: what costs little to send must not cost much to
 * read. Reading a message whole makes an object of every field that it does not know.
 *
 * @throws RangeError, or what the reader throws, where the bytes are no message or have too many fields
 */
export function wireFields(bytes: Uint8Array): WireField[] {
  const reader = new BinaryReader(bytes);
  const fields: WireField[] = [];
  while (reader.pos < reader.len) {
    if (fields.length === mostFields) throw new RangeError(`more than ${mostFields} fields`);
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
