import type { Dtype } from '../safetensors/header.ts';
import { fromQ2K, fromQ3K, fromQ4K, fromQ5K, fromQ6K } from './k-blocks.ts';
import { fromIq4Nl, fromQ4_0, fromQ4_1, fromQ5_0, fromQ5_1, fromQ8_0 } from './small-blocks.ts';

/** How values are stored: every `values` of a row take `bytes`. */
export interface BlockFormat {
  readonly values: number;
  readonly bytes: number;
  /** The format in which the values are written unchanged. */
  readonly dtype: Extract<Dtype, 'F32' | 'F16' | 'BF16'>;
  /** Computes the values of whole blocks, to the bit as ggml does; where there is none, they are stored as they are. */
  readonly decode?: (blocks: Uint8Array, values: Float32Array) => void;
}

const quantized = (
  values: number,
  bytes: number,
  decode: (blocks: Uint8Array, values: Float32Array) => void,
): BlockFormat => ({
  values,
  bytes,
  // scale · number + minimum of a float16 fits in no smaller format without rounding again.
  dtype: 'F32',
  decode,
});

/** By the numbers of enum ggml_type in ggml.h. */
export const blockFormats: ReadonlyMap<number, BlockFormat> = new Map([
  [0, { values: 1, bytes: 4, dtype: 'F32' }],
  [1, { values: 1, bytes: 2, dtype: 'F16' }],
  [2, quantized(32, 18, fromQ4_0)],
  [3, quantized(32, 20, fromQ4_1)],
  [6, quantized(32, 22, fromQ5_0)],
  [7, quantized(32, 24, fromQ5_1)],
  [8, quantized(32, 34, fromQ8_0)],
  [10, quantized(256, 84, fromQ2K)],
  [11, quantized(256, 110, fromQ3K)],
  [12, quantized(256, 144, fromQ4K)],
  [13, quantized(256, 176, fromQ5K)],
  [14, quantized(256, 210, fromQ6K)],
  [20, quantized(32, 18, fromIq4Nl)],
  [30, { values: 1, bytes: 2, dtype: 'BF16' }],
]);

const names: Readonly<Record<number, string>> = {
  0: 'F32',
  1: 'F16',
  2: 'Q4_0',
  3: 'Q4_1',
  6: 'Q5_0',
  7: 'Q5_1',
  8: 'Q8_0',
  9: 'Q8_1',
  10: 'Q2_K',
  11: 'Q3_K',
  12: 'Q4_K',
  13: 'Q5_K',
  14: 'Q6_K',
  15: 'Q8_K',
  16: 'IQ2_XXS',
  17: 'IQ2_XS',
  18: 'IQ3_XXS',
  19: 'IQ1_S',
  20: 'IQ4_NL',
  21: 'IQ3_S',
  22: 'IQ2_S',
  23: 'IQ4_XS',
  24: 'I8',
  25: 'I16',
  26: 'I32',
  27: 'I64',
  28: 'F64',
  29: 'IQ1_M',
  30: 'BF16',
  34: 'TQ1_0',
  35: 'TQ2_0',
  39: 'MXFP4',
  40: 'NVFP4',
};

/** "Q4_K"; "type 99" for a number that has no name here. */
export const nameOfType = (type: number): string => names[type] ?? `type ${type}`;
