/**
 * Mean difference in nats above which two answers to the same texts are not of one model. Of one model, float32 servers
 * answer 2e-5 apart and bfloat16 servers 4e-4 at most; two models, or rows one place off, whole nats.
 */
export const mostDifference = 0.05;

/** Mean of |Δ| of two columns of log-probabilities, in nats; Infinity where they are not of the same tokens. */
export function meanDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  if (a.length !== b.length) return Number.POSITIVE_INFINITY;
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += Math.abs(a[i] - b[i]);
  return a.length === 0 ? 0 : sum / a.length;
}
