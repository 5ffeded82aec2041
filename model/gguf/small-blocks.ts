import { float16At } from './float16-at.ts';

/*
 * ggml's blocks of 32 values (ggml-common.h, ggml-quants.c). A block begins with its scale, a float16, then its minimum
 * where it has one. Numbers of 4 bits follow two a byte: the low halves are values 0 to 15, the high halves values 16
 * to 31; numbers of 5 bits have their highest bits together in front of them. All is exact in float64, and the array
 * rounds once, as ggml's float32 does.
 */

/** scale · q, q from −128 to 127. */
export function fromQ8_0(blocks: Uint8Array, values: Float32Array): void {
  const numbers = new Int8Array(blocks.buffer, blocks.byteOffset, blocks.length);
  for (let at = 0, first = 0; at < blocks.length; at += 34, first += 32) {
    const scale = float16At(blocks, at);
    for (let j = 0; j < 32; j++) values[first + j] = scale * numbers[at + 2 + j];
  }
}

/** scale · (q − 8), q from 0 to 15. */
export function fromQ4_0(blocks: Uint8Array, values: Float32Array): void {
  for (let at = 0, first = 0; at < blocks.length; at += 18, first += 32) {
    const scale = float16At(blocks, at);
    for (let j = 0; j < 16; j++) {
      const pair = blocks[at + 2 + j];
      values[first + j] = scale * ((pair & 15) - 8);
      values[first + j + 16] = scale * ((pair >>> 4) - 8);
    }
  }
}

/** scale · q + minimum, q from 0 to 15. */
export function fromQ4_1(blocks: Uint8Array, values: Float32Array): void {
  for (let at = 0, first = 0; at < blocks.length; at += 20, first += 32) {
    const scale = float16At(blocks, at);
    const minimum = float16At(blocks, at + 2);
    for (let j = 0; j < 16; j++) {
      const pair = blocks[at + 4 + j];
      values[first + j] = scale * (pair & 15) + minimum;
      values[first + j + 16] = scale * (pair >>> 4) + minimum;
    }
  }
}

/** scale · (q − 16), q from 0 to 31. */
export function fromQ5_0(blocks: Uint8Array, values: Float32Array): void {
  for (let at = 0, first = 0; at < blocks.length; at += 22, first += 32) {
    const scale = float16At(blocks, at);
    const highBits = uint32At(blocks, at + 2);
    for (let j = 0; j < 16; j++) {
      const pair = blocks[at + 6 + j];
      values[first + j] = scale * (((pair & 15) | (((highBits >>> j) & 1) << 4)) - 16);
      values[first + j + 16] = scale * (((pair >>> 4) | (((highBits >>> (j + 16)) & 1) << 4)) - 16);
    }
  }
}

/** scale · q + minimum, q from 0 to 31. */
export function fromQ5_1(blocks: Uint8Array, values: Float32Array): void {
  for (let at = 0, first = 0; at < blocks.length; at += 24, first += 32) {
    const scale = float16At(blocks, at);
    const minimum = float16At(blocks, at + 2);
    const highBits = uint32At(blocks, at + 4);
    for (let j = 0; j < 16; j++) {
      const pair = blocks[at + 8 + j];
      values[first + j] = scale * ((pair & 15) | (((highBits >>> j) & 1) << 4)) + minimum;
      values[first + j + 16] = scale * ((pair >>> 4) | (((highBits >>> (j + 16)) & 1) << 4)) + minimum;
    }
  }
}

/** What the numbers of IQ4_NL stand for: closer together where weights are more frequent (kvalues_iq4nl). */
const unevenSteps = Int8Array.of(-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113);

/** scale · step(q), q from 0 to 15. */
export function fromIq4Nl(blocks: Uint8Array, values: Float32Array): void {
  for (let at = 0, first = 0; at < blocks.length; at += 18, first += 32) {
    const scale = float16At(blocks, at);
    for (let j = 0; j < 16; j++) {
      const pair = blocks[at + 2 + j];
      values[first + j] = scale * unevenSteps[pair & 15];
      values[first + j + 16] = scale * unevenSteps[pair >>> 4];
    }
  }
}

const uint32At = (bytes: Uint8Array, at: number): number =>
  bytes[at] | (bytes[at + 1] << 8) | (bytes[at + 2] << 16) | (bytes[at + 3] << 24);
