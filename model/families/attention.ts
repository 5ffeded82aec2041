import { add, matmul, reshape, transpose } from '../graph/expressions.ts';
import type { Value } from '../graph/graph.ts';
import { product } from '../graph/shape.ts';
import { weightedValues } from './weighted-values.ts';

/** How the values of a token divide into heads. */
export interface Heads {
  readonly heads: number;
  /** Divides `heads`; as many as `heads` where every query head has keys and values of its own. */
  readonly keyValueHeads: number;
  readonly headSize: number;
}

interface Attended {
  /** [batch, length, heads · head size], or with the first two axes as one; so are the others. */
  readonly queries: Value;
  /** [batch, length, key-value heads · head size]. */
  readonly keys: Value;
  readonly values: Value;
  /** int64 [batch, length]. */
  readonly positions: Value;
  /** Added to the scores [batch, key-value heads, group · length, length]: causal-mask.ts. */
  readonly mask: Value;
}

/**
 * softmax(Q·Kᵀ / √(head size) + mask) · V by heads (Vaswani et al. 2017), keys and values shared by groups of
 * heads (Ainslie et al. 2023). The queries of one group stand below each other, so that each key-value head
 * takes part in one product and is never repeated.
 *
 * @returns [batch · length, heads · head size]
 */
export function attention(
  { queries, keys, values, positions, mask }: Attended,
  { heads, keyValueHeads, headSize }: Heads,
): Value {
  const [batch, length] = positions.shape;
  const group = heads / keyValueHeads;
  const grouped = reshape(
    transpose(reshape(queries, [batch, length, keyValueHeads, group, headSize]), [0, 2, 3, 1, 4]),
    [batch, keyValueHeads, product([group, length]), headSize],
  );
  const perHead = (x: Value) => transpose(reshape(x, [batch, length, keyValueHeads, headSize]), [0, 2, 1, 3]);

  const scores = matmul(grouped, perHead(keys), { transposeB: true, alpha: 1 / Math.sqrt(headSize) });
  const mixed = weightedValues(add(scores, mask), perHead(values));
  const joined = transpose(reshape(mixed, [batch, keyValueHeads, group, length, headSize]), [0, 3, 1, 2, 4]);
  return reshape(joined, [product([batch, length]), heads * headSize]);
}
