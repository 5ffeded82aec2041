import type { TextDistribution } from '../../wire/codec/text-distribution.ts';
import { NOT_ALIGNED } from '../align/boundary.ts';

/** What is needed of a source to tell how well it has predicted a text so far. */
export type PredictedColumns = Pick<TextDistribution, 'tokenLogProbabilities'>;

/** A source's text beside the target's. */
export interface PredictingSource {
  readonly distribution: PredictedColumns;
  /** [n] the source's row for each position of the target, or −1. */
  readonly rows: Int32Array;
}

/** How evidence becomes weights. */
export interface Evidence {
  /** β: the power of a source's likelihood. 1 is Bayes; nearer to 0, the weights stay nearer to each other. */
  readonly sharpness: number;
  /** α, between 0 and 1: what part of all weight is shared out evenly after every stretch of text. */
  readonly switching: number;
}

/**
 * Weights of the sources at each position by how well they have predicted the text before it: Bayesian model averaging
 * over sequences of sources that switch now and then, which is fixed share (Herbster and Warmuth, "Tracking the best
 * expert", 1998) with the logarithmic loss. With S sources, behind each stretch of text between two places where all of
 * them are aligned,
 *
 *     w(s) ← (1 − α) · w(s) · p(stretch | s, text before it)^β / Σ + α / S
 *
 * Only there have all read the same text. Before the first such place, and in a text without any, all weigh the same.
 *
 * @param sources undefined for one that the text was joined without: it gets no weight
 * @param length n, positions of the target
 * @returns [n × sources] summing to 1 at each position, or 0 where there is no source
 */
export function evidenceWeights(
  sources: readonly (PredictingSource | undefined)[],
  length: number,
  { sharpness, switching }: Evidence,
): Float64Array {
  const all = sources.length;
  const weights = new Float64Array(length * all);
  const present = sources.flatMap((source, s) => (source === undefined ? [] : [s]));
  if (present.length === 0) return weights;

  const now = new Float64Array(all);
  for (const s of present) now[s] = 1 / present.length;
  // Of each source the row at the last place where all were aligned.
  const before = new Int32Array(all).fill(NOT_ALIGNED);
  const nats = new Float64Array(all);
  for (let position = 0; position < length; position++) {
    if (present.every((s) => sources[s]!.rows[position] !== NOT_ALIGNED)) {
      if (before[present[0]] !== NOT_ALIGNED) {
        for (const s of present) nats[s] = natsBetween(sources[s]!, before[s], sources[s]!.rows[position]);
        update(now, nats, present, sharpness, switching);
      }
      for (const s of present) before[s] = sources[s]!.rows[position];
    }
    weights.set(now, position * all);
  }
  return weights;
}

/**
 * How much each source weighs in the whole text.
 *
 * @param weights [n × sources] at each position
 * @returns [sources]
 */
export function meanOfPositions(weights: Float64Array, sources: number): Float64Array {
  const mean = new Float64Array(sources);
  const positions = weights.length / sources;
  for (let i = 0; i < weights.length; i++) mean[i % sources] += weights[i] / positions;
  return mean;
}

function natsBetween(
  { distribution: { tokenLogProbabilities } }: PredictingSource,
  from: number,
  to: number,
): number {
  let nats = 0;
  for (let row = from + 1; row <= to; row++) nats -= tokenLogProbabilities[row];
  return nats;
}

function update(
  weights: Float64Array,
  nats: Float64Array,
  present: readonly number[],
  sharpness: number,
  switching: number,
): void {
  let least = Number.POSITIVE_INFINITY;
  for (const s of present) least = Math.min(least, nats[s]);
  // No source thought this text possible: it tells nothing.
  if (least === Number.POSITIVE_INFINITY) return;
  let sum = 0;
  for (const s of present) {
    weights[s] *= Math.exp(sharpness * (least - nats[s]));
    sum += weights[s];
  }
  for (const s of present) weights[s] = ((1 - switching) * weights[s]) / sum + switching / present.length;
}
