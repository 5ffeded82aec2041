/**
 * Puts the rows of a query or key matrix into Hugging Face's order. What a head rotates together are its rows
 * 2i and 2i + 1 in a GGUF of the Llama architecture, and i and i + half in Hugging Face (undo of `permute` in
 * llama.cpp's converter; LlamaTensorProcessor in transformers does the same).
 *
 * @param values [rows × columns], row by row
 * @param heads how many heads share the rows
 */
export function halvesFromPairs(
  values: Float32Array,
  columns: number,
  heads: number,
): Float32Array<ArrayBuffer> {
  const half = values.length / columns / heads / 2;
  const ordered = new Float32Array(values.length);
  for (let head = 0; head < heads; head++) {
    for (let i = 0; i < half; i++) {
      for (let side = 0; side < 2; side++) {
        const from = (head * 2 * half + 2 * i + side) * columns;
        const to = (head * 2 * half + side * half + i) * columns;
        ordered.set(values.subarray(from, from + columns), to);
      }
    }
  }
  return ordered;
}
