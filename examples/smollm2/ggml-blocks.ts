import { fromFloat16 } from '../../numbers/float16.ts';

/** The same for both formats. */
const valuesPerBlock = 32;

/**
 * The values of ggml's Q4_1 (block_q4_1 in ggml-common.h, dequantize_row_q4_1 in ggml-quants.c): blocks of 32
 * numbers q from 0 to 15 that stand for scale · q + minimum. A block is the scale and the minimum as float16,
 * then 16 bytes: the low halves are numbers 0 to 15, the high halves numbers 16 to 31.
 *
 * @param blocks whole blocks
 */
export function fromQ4_1(blocks: Uint8Array): Float32Array<ArrayBuffer> {
  const bytesPerBlock = 20;
  const count = blocks.length / bytesPerBlock;
  const halves = new Uint16Array(2 * count);
  for (let i = 0; i < halves.length; i++) {
    const at = (i >>> 1) * bytesPerBlock + 2 * (i & 1);
    halves[i] = blocks[at] | (blocks[at + 1] << 8);
  }
  const scalesAndMinima = fromFloat16(halves);

  const values = new Float32Array(count * valuesPerBlock);
  for (let block = 0; block < count; block++) {
    const scale = scalesAndMinima[2 * block];
    const minimum = scalesAndMinima[2 * block + 1];
    const first = block * valuesPerBlock;
    const numbers = block * bytesPerBlock + 4;
    for (let j = 0; j < valuesPerBlock / 2; j++) {
      const pair = blocks[numbers + j];
      // Exact in float64; the array rounds it once, as ggml's float32 does.
      values[first + j] = scale * (pair & 15) + minimum;
      values[first + j + valuesPerBlock / 2] = scale * (pair >>> 4) + minimum;
    }
  }
  return values;
}

/**
 * The values of ggml's Q8_0 (block_q8_0 in ggml-common.h, dequantize_row_q8_0 in ggml-quants.c): blocks of 32
 * numbers q from -128 to 127 that stand for scale · q. A block is the scale as float16, then the numbers, a
 * signed byte each.
 *
 * @param blocks whole blocks
 */
export function fromQ8_0(blocks: Uint8Array): Float32Array<ArrayBuffer> {
  const bytesPerBlock = 34;
  const count = blocks.length / bytesPerBlock;
  const halves = new Uint16Array(count);
  for (let block = 0; block < count; block++) {
    const at = block * bytesPerBlock;
    halves[block] = blocks[at] | (blocks[at + 1] << 8);
  }
  const scales = fromFloat16(halves);

  const numbers = new Int8Array(blocks.buffer, blocks.byteOffset, blocks.length);
  const values = new Float32Array(count * valuesPerBlock);
  for (let block = 0; block < count; block++) {
    const first = block * valuesPerBlock;
    const at = block * bytesPerBlock + 2;
    for (let j = 0; j < valuesPerBlock; j++) values[first + j] = scales[block] * numbers[at + j];
  }
  return values;
}
