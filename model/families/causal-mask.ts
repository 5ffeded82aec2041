import { expand, greaterOrEqual, reshape, where } from '../graph/expressions.ts';
import type { Value } from '../graph/graph.ts';
import { product } from '../graph/shape.ts';

/**
 * 0 where a query may see a key, −∞ where the key stands at a later position of its row.
 *
 * @param positions int64 [batch, length] of the queries
 * @param keyPositions int64 [batch, keys]
 * @param group how many queries of a position stand below each other
 * @returns float32 [batch, 1, group · length, keys], to be added to scores [batch, heads, group · length, keys]
 */
export function causalMask(positions: Value, keyPositions: Value, group: number): Value {
  const [batch, length] = positions.shape;
  const repeated = expand(reshape(positions, [batch, 1, 1, length, 1]), [batch, 1, group, length, 1]);
  const ofQueries = reshape(repeated, [batch, 1, product([group, length]), 1]);
  const ofKeys = reshape(keyPositions, [batch, 1, 1, keyPositions.shape[1]]);
  return where(greaterOrEqual(ofQueries, ofKeys), 0, Number.NEGATIVE_INFINITY);
}
