import { studentQuantile } from './student.ts';

/** A mean with its 95 % interval. */
export interface Interval {
  readonly mean: number;
  /** The interval is mean ± this; undefined for a single value, which says nothing about the noise. */
  readonly halfWidth: number | undefined;
}

/** Mean and 95 % interval by Student's t of independent values, one for each seed. */
export function intervalOf(values: readonly number[]): Interval {
  const n = values.length;
  const mean = values.reduce((sum, value) => sum + value, 0) / n;
  if (n < 2) return { mean, halfWidth: undefined };
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (n - 1);
  return { mean, halfWidth: studentQuantile(0.95, n - 1) * Math.sqrt(variance / n) };
}

/** Whether a difference is larger than the noise: 0 lies outside of its interval. Undefined with a single seed. */
export function excludesZero({ mean, halfWidth }: Interval): boolean | undefined {
  return halfWidth === undefined ? undefined : Math.abs(mean) > halfWidth;
}

/** Whether all of an interval lies below all of another. Undefined with a single seed. */
export function isBelow(low: Interval, high: Interval): boolean | undefined {
  if (low.halfWidth === undefined || high.halfWidth === undefined) return undefined;
  return low.mean + low.halfWidth < high.mean - high.halfWidth;
}
