/** A training with a schedule of its own: what it was trained on, and what it came to. */
export interface CurvePoint {
  readonly tokens: number;
  /** In bits per byte. */
  readonly loss: number;
}

/** Where a curve reaches a loss. */
export interface Reached {
  /** The first point has reached it already: it may be that fewer do. */
  readonly atMost: boolean;
  readonly tokens: number;
}

/**
 * How many tokens a curve needs to come down to a loss; between two points the loss falls as the logarithm of the
 * tokens grows.
 *
 * @param points by rising tokens
 * @returns undefined where it never does
 */
export function tokensToReach(points: readonly CurvePoint[], loss: number): Reached | undefined {
  const found = points.findIndex((point) => point.loss <= loss);
  if (found === -1) return undefined;
  const after = points[found];
  if (found === 0) return { atMost: true, tokens: after.tokens };
  const before = points[found - 1];
  const share = (before.loss - loss) / (before.loss - after.loss);
  return { atMost: false, tokens: before.tokens * (after.tokens / before.tokens) ** share };
}
