import { fromFloat16 } from '../../numbers/float16.ts';

const valuesPerBlock = 32;
const bytesPerBlock = 34;

/**
 * The values of ggml's Q8_0 (block_q8_0 in ggml-common.h, dequantize_row_q8_0 in ggml-quants.c): blocks of 32
 * numbers q from -128 to 127 that stand for scale · q. A block is the scale as float16, then the numbers, a
 * signed byte each.
 *
 * @param blocks whole blocks
 */
export function fromQ8_0(blocks: Uint8Array): Float32Array<ArrayBuffer> {
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
