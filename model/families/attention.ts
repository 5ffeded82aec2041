import { add, matmul, reshape, transpose } from '../graph/expressions.ts';
import type { Value } from '../graph/graph.ts';
import { product } from '../graph/shape.ts';
import type { AttentionScope, ForwardInput } from './architecture.ts';
import { causalMask } from './causal-mask.ts';
import { weightedValues } from './weighted-values.ts';

/** How the values of a token divide into heads. */
export interface Heads {
  readonly heads: number;
  /** Divides `heads`; as many as `heads` where every query head has keys and values of its own. */
  readonly keyValueHeads: number;
  readonly headSize: number;
}

/**
 * Attention in one layer.
 *
 * @param queries [batch, length, heads · head size], or with the first two axes as one
 * @param keys [batch, length, key-value heads · head size], or the same; so are the values
 * @returns [batch · length, heads · head size]
 */
export type Attend = (layer: number, queries: Value, keys: Value, values: Value) => Value;

/**
 * softmax(Q·Kᵀ / √(head size) + mask) · V by heads (Vaswani et al. 2017), keys and values shared by groups of
 * heads (Ainslie et al. 2023). The queries of one group stand below each other, so that each key-value head
 * takes part in one product and is never repeated.
 *
 * @param bias what is added to the scores of each key, from int64 [batch, keys] positions: [batch, heads, 1, keys]
 */
export function attentionOf(
  { positions, scope = itself(positions) }: ForwardInput,
  { heads, keyValueHeads, headSize }: Heads,
  bias?: (keyPositions: Value) => Value,
): Attend {
  const [batch, length] = positions.shape;
  const group = heads / keyValueHeads;
  const causal = causalMask(positions, scope.keyPositions, group);
  const mask = bias ? add(causal, bias(scope.keyPositions)) : causal;
  const perHead = (x: Value) => transpose(reshape(x, [batch, length, keyValueHeads, headSize]), [0, 2, 1, 3]);

  return (layer, queries, keys, values) => {
    const grouped = reshape(
      transpose(reshape(queries, [batch, length, keyValueHeads, group, headSize]), [0, 2, 3, 1, 4]),
      [batch, keyValueHeads, product([group, length]), headSize],
    );
    const all = scope.extend(layer, perHead(keys), perHead(values));
    const scores = matmul(grouped, all.keys, { transposeB: true, alpha: 1 / Math.sqrt(headSize) });
    const mixed = weightedValues(add(scores, mask), all.values);
    const joined = transpose(
      reshape(mixed, [batch, keyValueHeads, group, length, headSize]),
      [0, 3, 1, 2, 4],
    );
    return reshape(joined, [product([batch, length]), heads * headSize]);
  };
}

const itself = (positions: Value): AttentionScope => ({
  keyPositions: positions,
  extend: (_, keys, values) => ({ keys, values }),
});
