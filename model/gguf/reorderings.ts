import { FuseMeshError } from '../../errors/fusemesh-error.ts';
import type { Reordering } from './imported-architecture.ts';

/**
 * What a head rotates together are its rows 2i and 2i + 1 in a GGUF of the Llama architecture, and i and i + half in
 * Hugging Face (undo of `permute` in llama.cpp's converter). A bias is a column of one row a value.
 *
 * @param heads how many share the rows
 */
export const halvesFromPairs = (heads: number): Reordering =>
  rowsFrom((row, rows) => {
    const headSize = rows / heads;
    const half = headSize / 2;
    const head = Math.floor(row / headSize);
    const i = row % headSize;
    return head * headSize + 2 * (i % half) + Math.floor(i / half);
  });

/**
 * All queries, then all keys, then all values in a GGUF; head by head its query, its key, its value in Hugging Face's
 * GPT-NeoX.
 */
export const byHeads = (heads: number): Reordering =>
  rowsFrom((row, rows) => {
    const headSize = rows / heads / 3;
    const head = Math.floor(row / (3 * headSize));
    const part = Math.floor(row / headSize) % 3;
    return (part * heads + head) * headSize + (row % headSize);
  });

/**
 * All queries, then all keys, then all values in a GGUF of a Falcon; in Hugging Face's, group by group its queries, its
 * key and its value.
 *
 * @param groups how many heads of keys there are
 */
export const byGroups = (heads: number, groups: number): Reordering =>
  rowsFrom((row, rows) => {
    const headSize = rows / (heads + 2 * groups);
    const perGroup = heads / groups;
    const group = Math.floor(row / ((perGroup + 2) * headSize));
    const head = Math.floor(row / headSize) % (perGroup + 2);
    const first = head < perGroup ? group * perGroup + head : heads + (head - perGroup) * groups + group;
    return first * headSize + (row % headSize);
  });

/** Weights to which llama.cpp's converter has added 1, since it knows no norms with 1 + weight. */
export const minusOne: Reordering = {
  shape: (shape) => shape,
  reorder: (values) => {
    if (values instanceof Float32Array) return values.map((value) => value - 1);
    throw new FuseMeshError(
      'invalid_argument',
      'The norms of this GGUF are in 16 bits, which FuseMesh does not convert: take a file that has them as F32.',
    );
  },
};

/** [out, in] → [in, out], as GPT-2 has it. */
export const transposed: Reordering = {
  shape: ([rows, columns]) => [columns, rows],
  reorder: (values, [rows, columns]) => {
    const result = values.slice();
    for (let row = 0; row < rows; row++) {
      for (let column = 0; column < columns; column++) {
        result[column * rows + row] = values[row * columns + column];
      }
    }
    return result;
  },
};

/** @param source the row that becomes a row of the result */
function rowsFrom(source: (row: number, rows: number) => number): Reordering {
  return {
    shape: (shape) => shape,
    reorder: (values, [rows, columns = 1]) => {
      const result = values.slice();
      for (let row = 0; row < rows; row++) {
        const from = source(row, rows) * columns;
        result.set(values.subarray(from, from + columns), row * columns);
      }
      return result;
    },
  };
}
