import type { Architecture, AttentionScope } from '../families/architecture.ts';
import { rowScope } from '../families/attention-scope.ts';
import { hiddenStates } from '../families/hidden-states.ts';
import type { FileWeights } from '../families/weights.ts';
import { cachedAttention, concat, expand, gatherRows, reshape } from '../graph/expressions.ts';
import type { Graph, Value } from '../graph/graph.ts';
import { createGraph } from '../graph/operators.ts';
import { type Dialect, emitModel } from '../onnx/emit.ts';

/** Names of the inputs of a layer's cache. */
export const pastName = {
  keys: (layer: number): string => `past_keys.${layer}`,
  values: (layer: number): string => `past_values.${layer}`,
} as const;

/**
 * A model with a key-value cache.
 *
 * Inputs: input_ids int32 [rows, length], position_ids int64 [rows, length], key_positions int64 [1, keys] (0, 1, 2, …
 * up to the longest row's; read by models whose scores depend on them), and last_row int64 [rows]: of each row's last
 * token among rows · length. Of every layer past_keys.N and past_values.N float32
 * [rows, key-value heads, …, head size].
 * - `shared`: the cache stays in one place. past_* have room for as many tokens as their third axis says, earlier ones
 *   are at its beginning, and the outputs are to be in the same memory. last_keys int32 [rows] is the position of each
 *   row's last token, longest int32 [1] the number of keys of the longest row. With a length of more than one, there is
 *   one row.
 * - else there is one row; past_* are those of just the earlier tokens, the outputs those of all tokens.
 *
 * Outputs: logits float32 [rows, vocabulary] of the token after each row's last, and keys and values of all tokens.
 */
export interface GenerationModel {
  /** Bytes of a ModelProto; its weights stay in their files. */
  readonly bytes: Uint8Array;
  /** Names of the outputs of each layer's cache. */
  readonly keys: readonly string[];
  readonly values: readonly string[];
}

/** Keys and values of all tokens, by layer. */
type Caches = { readonly keys: Value; readonly values: Value }[];

export function generationModel(
  architecture: Architecture,
  { constants }: Pick<FileWeights, 'constants'>,
  { dialect, shared }: { readonly dialect: Dialect; readonly shared: boolean },
): GenerationModel {
  const graph = createGraph();
  const rows = shared ? 'rows' : 1;
  const positions = graph.input('position_ids', 'int64', [rows, 'length']);
  const lastRow = graph.input('last_row', 'int64', [rows]);
  const caches: Caches = [];
  const input = {
    inputIds: graph.input('input_ids', 'int32', [rows, 'length']),
    positions,
    ...constants(graph),
    scope: (shared ? sharedScope : ownScope)(graph, architecture, positions, caches),
  };
  const last = gatherRows(hiddenStates(architecture, input), lastRow);
  // Under their own names the caches are computed in the memory that they are given.
  const extended = caches.flatMap(({ keys, values }) => [keys, values]);
  const named = Object.fromEntries(extended.map((value) => [value.name, value]));
  return {
    bytes: emitModel({ logits: architecture.logits(last, input), ...named }, { dialect }),
    keys: caches.map(({ keys }) => keys.name),
    values: caches.map(({ values }) => values.name),
  };
}

/** Rows of several texts, of which each has its place in a cache that stays. */
function sharedScope(
  graph: Graph,
  { keyValueSizes: { keyValueHeads, headSize } }: Architecture,
  positions: Value,
  caches: Caches,
): AttentionScope {
  const [rows, length] = positions.shape;
  const keyPositions = graph.input('key_positions', 'int64', [1, 'keys']);
  const lastKeys = graph.input('last_keys', 'int32', [rows]);
  const longest = graph.input('longest', 'int32', [1]);
  const past = (name: string) => graph.input(name, 'float32', [rows, keyValueHeads, 'capacity', headSize]);
  return {
    ...rowScope(positions),
    keyPositions,
    mask: {
      attend(layer, queries, newKeys, newValues, { bias, ...scores }) {
        const pasts = [past(pastName.keys(layer)), past(pastName.values(layer))] as const;
        const ofQueries = bias && biasOfQueries(bias, length);
        const [mixed, keys, values] = cachedAttention(
          [queries, newKeys, newValues, ...pasts, lastKeys, longest, ...(ofQueries ? [ofQueries] : [])],
          scores,
        );
        caches[layer] = { keys, values };
        return mixed;
      },
    },
  };
}

/** What is the same for all queries, [1, heads, keys] → [1, heads, queries, keys]. */
function biasOfQueries(bias: Value, queries: Value['shape'][number]): Value {
  const [, heads, keys] = bias.shape;
  return expand(reshape(bias, [1, heads, 1, keys]), [1, heads, queries, keys]);
}

/** One row; its cache is written anew with each token. */
function ownScope(
  graph: Graph,
  { keyValueSizes: { keyValueHeads, headSize } }: Architecture,
  positions: Value,
  caches: Caches,
): AttentionScope {
  const keyPositions = graph.input('key_positions', 'int64', [1, 'keys']);
  const past = (name: string) => graph.input(name, 'float32', [1, keyValueHeads, 'past', headSize]);
  const extend = (layer: number, newKeys: Value, newValues: Value) => {
    const keys = concat([past(pastName.keys(layer)), newKeys], 2, 'keys');
    const values = concat([past(pastName.values(layer)), newValues], 2, 'keys');
    caches[layer] = { keys, values };
    return { keys, values };
  };
  return rowScope(positions, { keyPositions, extend });
}
