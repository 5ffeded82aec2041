import { NOT_ALIGNED } from './boundary.ts';

/**
 * What a source gives to the text's own next token at each position of the target: where both of the token's ends are
 * boundaries that it shares, the product of its steps over the source tokens between them. Where it keeps whole what the
 * target splits, its tokens say nothing about the target's.
 *
 * @param rows [n] the source's row for each position, or −1 (boundary.ts)
 * @param tokenLogProbabilities [m] of each of its tokens after those before it
 * @returns [n] natural logarithms; NaN where it says nothing
 */
export function labelLogProbabilities(rows: Int32Array, tokenLogProbabilities: Float32Array): Float64Array {
  const found = new Float64Array(rows.length).fill(Number.NaN);
  for (let position = 0; position + 1 < rows.length; position++) {
    const [begin, end] = [rows[position], rows[position + 1]];
    if (begin === NOT_ALIGNED || end <= begin) continue;
    let sum = 0;
    for (let next = begin + 1; next <= end; next++) sum += tokenLogProbabilities[next];
    found[position] = sum;
  }
  return found;
}
