import {
  add,
  attentionInParts,
  cast,
  div,
  greaterOrEqual,
  matmul,
  mul,
  reshape,
  sub,
  tanh,
  transpose,
  where,
} from '../graph/expressions.ts';
import { Value } from '../graph/graph.ts';
import { product } from '../graph/shape.ts';
import type { AttentionScope, BlockInput } from './architecture.ts';
import { rowScope } from './attention-scope.ts';
import { weightedValues } from './weighted-values.ts';

/** How the values of a token are divided into heads. */
export interface Heads {
  readonly heads: number;
  /** Divides `heads`; as many as `heads` where every query head has keys and values of its own. */
  readonly keyValueHeads: number;
  readonly headSize: number;
}

/** What is special about the scores of a model, or of some of its layers. */
export interface Scoring {
  /** Factor on the products of queries and keys; left out, 1 / √(head size). */
  readonly scale?: number | undefined;
  /** c: a score s becomes c · tanh(s / c) (Gemma 2). */
  readonly softCap?: number | undefined;
  /** How many keys a query attends to at most: its own and those before it. */
  readonly window?: number | undefined;
  /** What is added to the scores of each key, from int64 [rows, keys] positions: [rows, heads, keys]. */
  readonly bias?: (keyPositions: Value) => Value;
}

/**
 * Attention in one layer.
 *
 * @param queries [tokens, heads · head size]
 * @param keys [tokens, key-value heads · head size]; so are the values
 * @returns [tokens, heads · head size]
 */
export type Attend = (layer: number, queries: Value, keys: Value, values: Value) => Value;

/**
 * softmax(scale · Q·Kᵀ + mask) · V by heads (Vaswani et al. 2017), keys and values shared by groups of
 * heads (Ainslie et al. 2023). The queries of one group are stacked, so that each key-value head takes part
 * in one product and is never repeated.
 * Where the scope says so, only the scores of some queries stand in memory at a time.
 */
export function attentionOf(
  { positions, scope = rowScope(positions) }: BlockInput,
  { heads, keyValueHeads, headSize }: Heads,
  { scale = 1 / Math.sqrt(headSize), softCap, window, bias }: Scoring = {},
): Attend {
  const biasOfKeys = bias?.(scope.keyPositions);
  const perHead = (x: Value) => {
    const inRows = scope.inRows(x);
    return transpose(reshape(inRows, [...inRows.shape.slice(0, 2), keyValueHeads, headSize]), [0, 2, 1, 3]);
  };
  if ('attend' in scope.mask) {
    const cache = scope.mask;
    const scores = { scale, softCap, window, bias: biasOfKeys };
    return (layer, queries, keys, values) => {
      const mixed = cache.attend(
        layer,
        scope.inRows(queries),
        scope.inRows(keys),
        scope.inRows(values),
        scores,
      );
      return scope.ofTokens(reshape(mixed, queries.shape));
    };
  }
  if (!(scope.mask instanceof Value)) {
    const parts = scope.mask;
    return (_, queries, keys, values) => {
      const [rows, length] = scope.keyPositions.shape;
      const mixed = attentionInParts(scope.inRows(queries), perHead(keys), perHead(values), {
        positions: scope.keyPositions,
        bias: biasOfKeys,
        scale,
        softCap,
        window,
        ...parts,
      });
      return scope.ofTokens(reshape(mixed, [product([rows, length]), heads * headSize]));
    };
  }

  const [rows, , , length, count] = scope.mask.shape;
  const group = heads / keyValueHeads;
  const inWindow = window === undefined ? scope.mask : windowed(scope.mask, scope, window);
  const mask = biasOfKeys
    ? add(inWindow, reshape(biasOfKeys, [rows, keyValueHeads, group, 1, count]))
    : inWindow;
  return (layer, queries, keys, values) => {
    const grouped = reshape(
      transpose(
        reshape(scope.inRows(queries), [rows, length, keyValueHeads, group, headSize]),
        [0, 2, 3, 1, 4],
      ),
      [rows, keyValueHeads, product([group, length]), headSize],
    );
    const own = { keys: perHead(keys), values: perHead(values) };
    const all = scope.extend?.(layer, own.keys, own.values) ?? own;
    const products = matmul(grouped, all.keys, { transposeB: true, alpha: scale });
    const scores = softCap === undefined ? products : capped(products, softCap);
    const masked = add(reshape(scores, [rows, keyValueHeads, group, length, count]), mask);
    const mixed = weightedValues(reshape(masked, scores.shape), all.values);
    const joined = transpose(reshape(mixed, [rows, keyValueHeads, group, length, headSize]), [0, 3, 1, 2, 4]);
    return scope.ofTokens(reshape(joined, [product([rows, length]), heads * headSize]));
  };
}

/** c · tanh(x / c): between −c and c. */
export const capped = (x: Value, cap: number): Value => mul(tanh(div(x, cap)), cap);

/** −∞ for keys that are further back than the window too. */
function windowed(mask: Value, { queryPositions, keyPositions }: AttentionScope, window: number): Value {
  const [rows, , , queries, keys] = mask.shape;
  // As float32, for which every device has kernels.
  const ofKeys = reshape(cast(keyPositions, 'float32'), [rows, 1, 1, 1, keys]);
  const ofQueries = reshape(cast(queryPositions, 'float32'), [rows, 1, 1, queries, 1]);
  return where(greaterOrEqual(ofKeys, sub(ofQueries, window - 1)), mask, Number.NEGATIVE_INFINITY);
}
