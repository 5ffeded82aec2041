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
