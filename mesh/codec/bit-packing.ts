/** How many bytes `count` values of `bits` bits take. */
export function packedLength(count: number, bits: number): number {
  return Math.ceil((count * bits) / 8);
}

/** How many bits an id below `vocabularySize` takes, 1 at least. */
export function bitsFor(vocabularySize: number): number {
  return Math.max(1, 32 - Math.clz32(vocabularySize - 1));
}

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
    let left = bits;
    let rest = value;
    // At most 16 bits at a time, so that nothing leaves a 32-bit integer.
    while (left > 0) {
      const taken = left < 16 ? left : 16;
      buffered |= (rest & ((1 << taken) - 1)) << held;
      rest >>>= taken;
      held += taken;
      left -= taken;
      while (held >= 8) {
        packed[position++] = buffered & 0xff;
        buffered >>>= 8;
        held -= 8;
      }
    }
  }
  if (held > 0) packed[position] = buffered & 0xff;
  return packed;
}

/**
 * The inverse of {@link packBits}.
 *
 * @param packed at least packedLength(count, bits) bytes
 */
export function unpackBits(packed: Uint8Array, count: number, bits: number): Int32Array<ArrayBuffer> {
  const values = new Int32Array(count);
  let position = 0;
  let buffered = 0;
  let held = 0;
  for (let i = 0; i < count; i++) {
    let value = 0;
    let filled = 0;
    while (filled < bits) {
      const wanted = bits - filled < 16 ? bits - filled : 16;
      while (held < wanted) {
        buffered |= packed[position++] << held;
        held += 8;
      }
      value |= (buffered & ((1 << wanted) - 1)) << filled;
      buffered >>>= wanted;
      held -= wanted;
      filled += wanted;
    }
    values[i] = value;
  }
  return values;
}
