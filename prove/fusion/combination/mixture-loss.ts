import { NOT_ALIGNED } from '../../../fusion/align/boundary.ts';
import type { PredictingSource } from '../../../fusion/fuse/evidence-weights.ts';

/** A text between the first and the last place where all sources are aligned with the target. */
export interface Stretches {
  /** [stretches] position of the target before each. */
  readonly begins: readonly number[];
  /** [stretches × sources] how badly each source predicts it, in nats. */
  readonly nats: Float64Array;
  /** UTF-8 bytes of all. */
  readonly bytes: number;
}

/**
 * Cuts a text where all sources have read the same.
 *
 * @param targetEnds [n] where the target's tokens end, in bytes
 */
export function stretchesOf(sources: readonly PredictingSource[], targetEnds: Int32Array): Stretches {
  const common = [...targetEnds.keys()].filter((position) =>
    sources.every(({ rows }) => rows[position] !== NOT_ALIGNED),
  );
  const begins = common.slice(0, -1);
  const nats = new Float64Array(begins.length * sources.length);
  for (const [i, begin] of begins.entries()) {
    for (const [s, { rows, distribution }] of sources.entries()) {
      for (let row = rows[begin] + 1; row <= rows[common[i + 1]]; row++) {
        nats[i * sources.length + s] -= distribution.tokenLogProbabilities[row];
      }
    }
  }
  const bytes = common.length === 0 ? 0 : targetEnds[common.at(-1)!] - targetEnds[common[0]];
  return { begins, nats, bytes };
}

/**
 * Cross-entropy of a mixture on a text, in nats: of each stretch the sources' likelihoods, weighed as before it, sum to
 * the mixture's.
 *
 * @param weightOf of a source at a position of the target
 */
export function mixtureNats(
  { begins, nats }: Stretches,
  sources: number,
  weightOf: (position: number, source: number) => number,
): number {
  let sum = 0;
  for (const [i, begin] of begins.entries()) {
    const own = nats.subarray(i * sources, (i + 1) * sources);
    const least = Math.min(...own);
    let likelihood = 0;
    for (const [s, loss] of own.entries()) likelihood += weightOf(begin, s) * Math.exp(least - loss);
    sum += least - Math.log(likelihood);
  }
  return sum;
}
