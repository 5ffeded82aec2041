/** Converts to bfloat16, the upper half of a float32, rounding to the nearest and ties to even. */
export function toBfloat16(values: Float32Array): Uint16Array<ArrayBuffer> {
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
  const halves = new Uint16Array(bits.length);
  for (let i = 0; i < bits.length; i++) {
    const isNumber = (bits[i] & 0x7fffffff) <= 0x7f800000;
    // Rounding could carry the mantissa of a NaN over to infinity: those keep their upper half and a set bit.
    halves[i] = isNumber ? (bits[i] + 0x7fff + ((bits[i] >>> 16) & 1)) >>> 16 : (bits[i] >>> 16) | 0x40;
  }
  return halves;
}

/** Converts from bfloat16, the upper half of a float32; exact. */
export function fromBfloat16(halves: Uint16Array): Float32Array<ArrayBuffer> {
  const values = new Float32Array(halves.length);
  const bits = new Uint32Array(values.buffer);
  for (let i = 0; i < halves.length; i++) bits[i] = halves[i] << 16;
  return values;
}
