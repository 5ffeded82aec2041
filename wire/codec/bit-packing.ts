/** How many bytes `count` values of `bits` bits take. */
export function packedLength(count: number, bits: number): number {
  return Math.ceil((count * bits) / 8);
}

/** How many bits an id below `vocabularySize` takes, 1 at least. */
export function bitsFor(vocabularySize: number): number {
  return Math.max(1, 32 - Math.clz32(vocabularySize - 1));
}

/** Wider values are handled in two parts: a 32-bit integer has no room for them and up to 7 bits beside them. */
const narrow = 24;

/**
 * Packs values densely, each from its lowest bit up, into bytes from their lowest bit up.
 *
 * @param values non-negative, each below 2^bits
 * @param bits 1 to 31
 * @throws RangeError when a value does not fit
 */
export function packBits(values: Int32Array, bits: number): Uint8Array<ArrayBuffer> {
  const packed = new Uint8Array(packedLength(values.length, bits));
  const limit = 2 ** bits;
  let position = 0;
  // `buffered` holds the lowest `held` bits that are not written yet: fewer than 8 between values.
  let buffered = 0;
  let held = 0;
  for (let i = 0; i < values.length; i++) {
    const value = values[i];
    if (value < 0 || value >= limit) throw new RangeError(`${value} does not fit into ${bits} bits`);
    let rest = value;
    let left = bits;
    if (left > narrow) {
      buffered |= (rest & 0xffff) << held;
      held += 16;
      rest >>>= 16;
      left -= 16;
      while (held >= 8) {
        packed[position++] = buffered;
        buffered >>>= 8;
        held -= 8;
      }
    }
    buffered |= rest << held;
    held += left;
    while (held >= 8) {
      packed[position++] = buffered;
      buffered >>>= 8;
      held -= 8;
    }
  }
  if (held > 0) packed[position] = buffered;
  return packed;
}

/**
 * The inverse of {@link packBits}.
 *
 * @param packed at least packedLength(count, bits) bytes
 */
export function unpackBits(packed: Uint8Array, count: number, bits: number): Int32Array<ArrayBuffer> {
  const values = new Int32Array(count);
  const low = bits > narrow ? 16 : bits;
  const mask = (1 << low) - 1;
  const highMask = (1 << (bits - low)) - 1;
  // Values whose four bytes at once do not reach beyond the end.
  const inside = Math.min(count, Math.max(0, Math.floor((8 * (packed.length - 4) - low) / bits)));
  for (let i = 0, at = 0; i < count; i++, at += bits) {
    const read = i < inside ? fourBytes : lastBytes;
    values[i] = (read(packed, at >>> 3) >>> (at & 7)) & mask;
    if (bits > narrow) {
      const high = at + low;
      values[i] |= ((read(packed, high >>> 3) >>> (high & 7)) & highMask) << low;
    }
  }
  return values;
}

/** 32 bits, from the lowest byte up. */
const fourBytes = (packed: Uint8Array, begin: number): number =>
  packed[begin] | (packed[begin + 1] << 8) | (packed[begin + 2] << 16) | (packed[begin + 3] << 24);

/** The same at the end, with zeros for what is behind it. */
const lastBytes = (packed: Uint8Array, begin: number): number =>
  (packed[begin] ?? 0) |
  ((packed[begin + 1] ?? 0) << 8) |
  ((packed[begin + 2] ?? 0) << 16) |
  ((packed[begin + 3] ?? 0) << 24);
