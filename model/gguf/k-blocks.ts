import { float16At } from './float16-at.ts';

/*
 * ggml's "K" blocks of 256 values in groups, each group with a small scale (and minimum) of its own, which the block's
 * float16 scale the group (ggml-common.h, ggml-quants.c). The numbers' bits are spread over a block so that a processor
 * can take many at once. Scales are exact in float32; scale · q − minimum is exact in float64, and the array rounds it
 * once, as ggml's float32 does.
 */

/** 16 groups of 16: scale · q − minimum, q from 0 to 3; scales and minima of 4 bits. */
export function fromQ2K(blocks: Uint8Array, values: Float32Array): void {
  for (let at = 0, first = 0; at < blocks.length; at += 84, first += 256) {
    const numbers = at + 16;
    const scale = float16At(blocks, at + 80);
    const minimum = float16At(blocks, at + 82);
    for (let group = 0; group < 16; group++) {
      const both = blocks[at + group];
      const groupScale = scale * (both & 15);
      const groupMinimum = minimum * (both >>> 4);
      // Of 128 values, 32 bytes hold the lowest bits of the first 32, the next bits of the next 32, and so on.
      const from = numbers + (group >>> 3) * 32 + (group & 1) * 16;
      const shift = ((group >>> 1) & 3) * 2;
      for (let j = 0; j < 16; j++) {
        values[first + group * 16 + j] = groupScale * ((blocks[from + j] >>> shift) & 3) - groupMinimum;
      }
    }
  }
}

/** 16 groups of 16: scale · q, q from −4 to 3; scales from −32 to 31. */
export function fromQ3K(blocks: Uint8Array, values: Float32Array): void {
  for (let at = 0, first = 0; at < blocks.length; at += 110, first += 256) {
    const numbers = at + 32;
    const scales = at + 96;
    const scale = float16At(blocks, at + 108);
    for (let group = 0; group < 16; group++) {
      // Eight bytes hold the lower four bits of scales 0 to 7 and 8 to 15, four bytes the upper two bits of all.
      const lower = (blocks[scales + (group & 7)] >>> ((group >>> 3) * 4)) & 15;
      const upper = (blocks[scales + 8 + (group & 3)] >>> ((group >>> 2) * 2)) & 3;
      const groupScale = scale * ((lower | (upper << 4)) - 32);
      const column = (group & 1) * 16;
      const from = numbers + (group >>> 3) * 32 + column;
      const shift = ((group >>> 1) & 3) * 2;
      // A bit that is not set takes 4 away.
      const mask = 1 << (group >>> 1);
      for (let j = 0; j < 16; j++) {
        const four = (blocks[at + column + j] & mask) === 0 ? 4 : 0;
        values[first + group * 16 + j] = groupScale * (((blocks[from + j] >>> shift) & 3) - four);
      }
    }
  }
}

/** 8 groups of 32: scale · q − minimum, q from 0 to 15; scales and minima of 6 bits. */
export function fromQ4K(blocks: Uint8Array, values: Float32Array): void {
  for (let at = 0, first = 0; at < blocks.length; at += 144, first += 256) {
    const numbers = at + 16;
    const scale = float16At(blocks, at);
    const minimum = float16At(blocks, at + 2);
    for (let group = 0; group < 8; group++) {
      const groupScale = scale * sixBitScale(blocks, at + 4, group);
      const groupMinimum = minimum * sixBitMinimum(blocks, at + 4, group);
      const from = numbers + (group >>> 1) * 32;
      const shift = (group & 1) * 4;
      for (let j = 0; j < 32; j++) {
        values[first + group * 32 + j] = groupScale * ((blocks[from + j] >>> shift) & 15) - groupMinimum;
      }
    }
  }
}

/** 8 groups of 32: scale · q − minimum, q from 0 to 31; scales and minima of 6 bits. */
export function fromQ5K(blocks: Uint8Array, values: Float32Array): void {
  for (let at = 0, first = 0; at < blocks.length; at += 176, first += 256) {
    const highBits = at + 16;
    const numbers = at + 48;
    const scale = float16At(blocks, at);
    const minimum = float16At(blocks, at + 2);
    for (let group = 0; group < 8; group++) {
      const groupScale = scale * sixBitScale(blocks, at + 4, group);
      const groupMinimum = minimum * sixBitMinimum(blocks, at + 4, group);
      const from = numbers + (group >>> 1) * 32;
      const shift = (group & 1) * 4;
      for (let j = 0; j < 32; j++) {
        const number = ((blocks[from + j] >>> shift) & 15) | (((blocks[highBits + j] >>> group) & 1) << 4);
        values[first + group * 32 + j] = groupScale * number - groupMinimum;
      }
    }
  }
}

/** 16 groups of 16: scale · q, q from −32 to 31; scales from −128 to 127. */
export function fromQ6K(blocks: Uint8Array, values: Float32Array): void {
  const signed = new Int8Array(blocks.buffer, blocks.byteOffset, blocks.length);
  for (let at = 0, first = 0; at < blocks.length; at += 210, first += 256) {
    const upperBits = at + 128;
    const scale = float16At(blocks, at + 208);
    for (let group = 0; group < 16; group++) {
      const groupScale = scale * signed[at + 192 + group];
      // Of 128 values: 64 bytes hold the lower four bits of the first 64 and of the next 64, 32 bytes the upper two.
      const half = group >>> 3;
      const quarter = (group >>> 1) & 3;
      const column = (group & 1) * 16;
      const lower = at + half * 64 + (quarter & 1) * 32 + column;
      const lowerShift = (quarter >>> 1) * 4;
      const upper = upperBits + half * 32 + column;
      const upperShift = quarter * 2;
      for (let j = 0; j < 16; j++) {
        const number =
          ((blocks[lower + j] >>> lowerShift) & 15) | (((blocks[upper + j] >>> upperShift) & 3) << 4);
        values[first + group * 16 + j] = groupScale * (number - 32);
      }
    }
  }
}

/*
 * Eight scales and eight minima of six bits in twelve bytes: the first four bytes hold scales 0 to 3, the next four
 * minima 0 to 3, the last four the lower four bits of the others, whose upper two bits fill up the first eight.
 */

const sixBitScale = (blocks: Uint8Array, at: number, group: number): number =>
  group < 4 ? blocks[at + group] & 63 : (blocks[at + 4 + group] & 15) | ((blocks[at + group - 4] >>> 6) << 4);

const sixBitMinimum = (blocks: Uint8Array, at: number, group: number): number =>
  group < 4
    ? blocks[at + 4 + group] & 63
    : (blocks[at + 4 + group] >>> 4) | ((blocks[at + group] >>> 6) << 4);
