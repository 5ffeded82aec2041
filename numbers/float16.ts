/**
 * Converts to IEEE 754 half precision, rounding to the nearest and ties to even. Values that are too large
 * become infinity, as in PyTorch.
 */
export function toFloat16(values: Float32Array): Uint16Array<ArrayBuffer> {
  const halves = new Uint16Array(values.length);
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
  for (let i = 0; i < bits.length; i++) {
    const magnitude = bits[i] & 0x7fffffff;
    let half: number;
    if (magnitude > 0x7f800000) {
      half = 0x7e00; // NaN
    } else if (magnitude >= 0x47800000) {
      half = 0x7c00; // 65,536 and above
    } else if (magnitude >= 0x38800000) {
      // Normal: the exponent's bias falls from 127 to 15; a carry out of the mantissa raises the exponent.
      half = (magnitude - 0x38000000 + 0xfff + ((magnitude >>> 13) & 1)) >>> 13;
    } else if (magnitude >= 0x33000000) {
      // Subnormal: a count of 2^-24.
      const mantissa = (magnitude & 0x7fffff) | 0x800000;
      const shift = 126 - (magnitude >>> 23);
      const tie = 1 << (shift - 1);
      const rest = mantissa & ((1 << shift) - 1);
      half = mantissa >>> shift;
      if (rest > tie || (rest === tie && (half & 1) === 1)) half++;
    } else {
      half = 0;
    }
    halves[i] = ((bits[i] >>> 16) & 0x8000) | half;
  }
  return halves;
}

/** Converts from IEEE 754 half precision; exact. */
export function fromFloat16(halves: Uint16Array): Float32Array<ArrayBuffer> {
  const values = new Float32Array(halves.length);
  const bits = new Uint32Array(values.buffer);
  for (let i = 0; i < halves.length; i++) {
    const half = halves[i];
    const sign = (half & 0x8000) << 16;
    const exponent = (half >>> 10) & 0x1f;
    const mantissa = half & 0x3ff;
    if (exponent === 0) {
      values[i] = (sign === 0 ? mantissa : -mantissa) * 2 ** -24;
    } else {
      bits[i] = sign | ((exponent === 31 ? 255 : exponent + 112) << 23) | (mantissa << 13);
    }
  }
  return values;
}
