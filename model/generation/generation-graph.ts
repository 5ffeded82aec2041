import type { Architecture } from '../families/architecture.ts';
import { rowScope } from '../families/attention-scope.ts';
import { hiddenStates } from '../families/hidden-states.ts';
import type { FileWeights } from '../families/weights.ts';
import { concat, gatherRows } from '../graph/expressions.ts';
import type { Value } from '../graph/graph.ts';
import { createGraph } from '../graph/operators.ts';
import { type Dialect, emitModel } from '../onnx/emit.ts';

/** Names of the inputs of a layer's cache. */
export const pastName = {
  keys: (layer: number): string => `past_keys.${layer}`,
  values: (layer: number): string => `past_values.${layer}`,
} as const;

/**
 * A model with a key-value cache: it takes the keys and values of earlier tokens and returns those of all
 * tokens.
 *
 * Inputs: input_ids int32 [1, length], position_ids int64 [1, length], key_positions int64 [1, past + length]
 * (0, 1, 2, …), last_row int64 [1] (length − 1), and of every layer past_keys.N and past_values.N float32
 * [1, key-value heads, past, head size]; past may be 0.
 * Outputs: logits float32 [1, vocabulary] of the token after the last, and keys and values of all tokens.
 */
export interface GenerationModel {
  /** Bytes of a ModelProto; its weights stay in their files. */
  readonly bytes: Uint8Array;
  /** Names of the outputs of each layer's cache. */
  readonly keys: readonly string[];
  readonly values: readonly string[];
}

export function generationModel(
  architecture: Architecture,
  { constants }: Pick<FileWeights, 'constants'>,
  dialect: Dialect,
): GenerationModel {
  const { keyValueHeads, headSize } = architecture.keyValueSizes;
  const graph = createGraph();
  const positions = graph.input('position_ids', 'int64', [1, 'length']);
  const keyPositions = graph.input('key_positions', 'int64', [1, 'keys']);
  const lastRow = graph.input('last_row', 'int64', [1]);

  const caches: { readonly keys: Value; readonly values: Value }[] = [];
  const past = (name: string) => graph.input(name, 'float32', [1, keyValueHeads, 'past', headSize]);
  const extend = (layer: number, newKeys: Value, newValues: Value) => {
    const keys = concat([past(pastName.keys(layer)), newKeys], 2, 'keys');
    const values = concat([past(pastName.values(layer)), newValues], 2, 'keys');
    caches[layer] = { keys, values };
    return { keys, values };
  };
  const input = {
    inputIds: graph.input('input_ids', 'int32', [1, 'length']),
    positions,
    ...constants(graph),
    scope: rowScope(positions, { keyPositions, extend }),
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
