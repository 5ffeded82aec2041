import type { TextDistribution } from '../../wire/codec/text-distribution.ts';
import { NOT_ALIGNED } from '../align/boundary.ts';

/** What is needed of a source to tell how well it predicts the parts of a text. */
export type SegmentedColumns = Pick<TextDistribution, 'ends' | 'tokenLogProbabilities'>;

interface SegmentedSource {
  readonly distribution: SegmentedColumns;
  /** [n] the source's row for each position of the target, or −1. */
  readonly rows: Int32Array;
}

/**
 * MinCE for each token: which source predicts the text best, in nats a byte, from each position to the next one
 * where it is aligned again. In between, tokenizers cannot be compared.
 *
 * @param length n, positions of the target
 * @returns [n] index of the source, the first of equals; −1 where none is aligned
 */
export function leastSegmentCrossEntropy(
  sources: readonly (SegmentedSource | undefined)[],
  length: number,
): Int32Array {
  const best = new Int32Array(length).fill(-1);
  const least = new Float64Array(length).fill(Number.POSITIVE_INFINITY);
  for (const [s, source] of sources.entries()) {
    if (source === undefined) continue;
    const { rows } = source;
    const { ends, tokenLogProbabilities } = source.distribution;
    let following = ends.length - 1;
    for (let position = length - 1; position >= 0; position--) {
      const row = rows[position];
      if (row === NOT_ALIGNED) continue;
      let nats = 0;
      for (let next = row + 1; next <= following; next++) nats -= tokenLogProbabilities[next];
      const perByte = nats / Math.max(1, ends[following] - ends[row]);
      if (row < following && (perByte < least[position] || best[position] === -1)) {
        best[position] = s;
        least[position] = perByte;
      }
      following = row;
    }
  }
  return best;
}
