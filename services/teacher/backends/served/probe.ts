import type { AnswerColumns } from './protocol.ts';

/** At how many lengths of a text its prefix is asked for. */
const prefixes = 8;

/** Lengths of prefixes of a text of n tokens, spread evenly, the shortest of one token. */
export function prefixLengths(n: number): number[] {
  const length = Math.min(prefixes, n - 1);
  return Array.from({ length }, (_, i) => Math.round(1 + (i * (n - 2)) / Math.max(1, length - 1)));
}

/**
 * How far two rows are apart, as the mean of |Δ| of their log-probabilities under the first, in nats. A candidate that
 * the second does not have counts as its least probable one.
 *
 * @param i row of `a`; j of `b`
 */
export function rowDifference(
  a: AnswerColumns,
  i: number,
  b: AnswerColumns,
  j: number,
  topK: number,
): number {
  const others = new Map<number, number>();
  let least = 0;
  for (let at = j * topK; at < (j + 1) * topK; at++) {
    others.set(b.candidateIds[at], b.logProbabilities[at]);
    least = b.logProbabilities[at];
  }
  let mass = 0;
  let difference = 0;
  for (let at = i * topK; at < (i + 1) * topK; at++) {
    const value = a.logProbabilities[at];
    const probability = Math.exp(value);
    mass += probability;
    difference += probability * Math.abs(value - (others.get(a.candidateIds[at]) ?? Math.min(least, value)));
  }
  return mass > 0 ? difference / mass : 0;
}
