import type { QuantizedBlocks, QuantizedByTable } from '../graph/signatures.ts';
import { tableValues } from './tables.ts';

/** A linear layer (or an embedding) in blocks along its rows: value = scale · (code − zero point), or scale · code + offset. */
export interface LayerInBlocks extends QuantizedBlocks {
  readonly form: 'blocks';
  /** Column j of the codes is column order[j] of the matrix; left out, they are in its order. */
  readonly order?: Int32Array<ArrayBuffer> | undefined;
  /** [out, in · bits / 8], the lower bits first. */
  codes(): Promise<Uint8Array<ArrayBuffer>>;
  /** [out, blocks]. */
  scales(): Promise<Float32Array<ArrayBuffer>>;
  /** [out, blocks], a byte each. */
  readonly zeroPoints?: (() => Promise<Uint8Array<ArrayBuffer>>) | undefined;
  /** [out, blocks]. */
  readonly offsets?: (() => Promise<Float32Array<ArrayBuffer>>) | undefined;
}

/** A linear layer of 4-bit codes of a table: value = factor of its block · table[code]. */
export interface LayerByTable extends QuantizedByTable {
  readonly form: 'table';
  /** [out · in / 2], the higher bits first. */
  codes(): Promise<Uint8Array<ArrayBuffer>>;
  /** [blocks]. */
  largest(): Promise<Float32Array<ArrayBuffer>>;
}

/** A weight [out, in] that is stored quantized. What it consists of is read when it is asked for. */
export type QuantizedLayer = LayerInBlocks | LayerByTable;

/** Block sizes for which ONNX Runtime has kernels. */
const [smallestBlock, largestBlock] = [16, 256];

/** The most values that a block can have where groups of `groupSize` share a scale. */
export function blockSizeOf(groupSize: number): number {
  let size = 1;
  while (size < largestBlock && groupSize % (2 * size) === 0) size *= 2;
  return size;
}

/** Whether ONNX Runtime has a kernel that multiplies with the layer as it is. */
export const hasKernel = ({ blockSize }: QuantizedLayer): boolean => blockSize >= smallestBlock;

/** [rows, groups] → [rows, groups · times]: the value of each group for each of its blocks. */
export function perBlock<Values extends Float32Array<ArrayBuffer> | Uint8Array<ArrayBuffer>>(
  ofGroups: Values,
  times: number,
): Values {
  if (times === 1) return ofGroups;
  const ofBlocks = new (ofGroups.constructor as new (length: number) => Values)(ofGroups.length * times);
  for (let i = 0; i < ofBlocks.length; i++) ofBlocks[i] = ofGroups[Math.floor(i / times)];
  return ofBlocks;
}

/** The values of a layer in float32, [out, in]. */
export const valuesOf = (layer: QuantizedLayer): Promise<Float32Array<ArrayBuffer>> =>
  layer.form === 'blocks' ? valuesOfBlocks(layer) : valuesByTable(layer);

async function valuesOfBlocks(layer: LayerInBlocks): Promise<Float32Array<ArrayBuffer>> {
  const { bits, blockSize, inputSize, outputSize, order } = layer;
  const [codes, scales] = [await layer.codes(), await layer.scales()];
  const [zeroPoints, offsets] = [await layer.zeroPoints?.(), await layer.offsets?.()];
  const middle = offsets ? 0 : 2 ** (bits - 1);
  const values = new Float32Array(outputSize * inputSize);
  for (let i = 0; i < values.length; i++) {
    const column = i % inputSize;
    const code = bits === 8 ? codes[i] : (codes[i >> 1] >> (4 * (i & 1))) & 15;
    const block = Math.floor(i / blockSize);
    const scaled = Math.fround(scales[block] * (code - (zeroPoints?.[block] ?? middle)));
    values[order ? i - column + order[column] : i] = offsets ? scaled + offsets[block] : scaled;
  }
  return values;
}

async function valuesByTable(layer: LayerByTable): Promise<Float32Array<ArrayBuffer>> {
  const { blockSize, inputSize, outputSize } = layer;
  const [codes, largest, table] = [await layer.codes(), await layer.largest(), tableValues[layer.table]];
  const values = new Float32Array(outputSize * inputSize);
  for (let i = 0; i < values.length; i++) {
    const code = (codes[i >> 1] >> (4 * (1 - (i & 1)))) & 15;
    values[i] = table[code] * largest[Math.floor(i / blockSize)];
  }
  return values;
}
