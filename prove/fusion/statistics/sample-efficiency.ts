/** A training with its own schedule: how many tokens it was trained on, and the loss that it reached. */
export interface CurvePoint {
  readonly tokens: number;
  /** In bits per byte. */
  readonly loss: number;
}

/** Where a curve reaches a loss. */
export interface Reached {
  /** Whether already the first point reaches it, so that fewer tokens may do. */
  readonly atMost: boolean;
  readonly tokens: number;
}

/**
 * How many tokens a curve needs to reach a loss. Between two points the loss is linear in the logarithm of the tokens.
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
