import type { Architecture } from '../families/architecture.ts';
import { rowScope } from '../families/attention-scope.ts';
import { hiddenStates } from '../families/hidden-states.ts';
import type { FileWeights } from '../families/weights.ts';
import { concat, gatherRows } from '../graph/expressions.ts';
import type { Value } from '../graph/graph.ts';
import { createGraph } from '../graph/operators.ts';
import { type Dialect, emitModel } from '../onnx/emit.ts';

export const cacheName = {
  pastKeys: (layer: number): string => `past_keys.${layer}`,
  pastValues: (layer: number): string => `past_values.${layer}`,
  keys: (layer: number): string => `keys.${layer}`,
  values: (layer: number): string => `values.${layer}`,
} as const;

/**
 * A model with a key-value cache: it takes the keys and values of earlier tokens and returns those of all
 * tokens.
 *
 * Inputs: input_ids int32 [1, length], position_ids int64 [1, length], key_positions int64 [1, past + length]
 * (0, 1, 2, …), last_row int64 [1] (length − 1), and of every layer past_keys.N and past_values.N float32
 * [1, key-value heads, past, head size]; past may be 0.
 * Outputs: logits float32 [1, vocabulary] of the token after the last, and keys.N and values.N of all tokens.
 *
 * @returns bytes of a ModelProto; its weights stay in their files
 */
export function generationModel(
  architecture: Architecture,
  { constants }: Pick<FileWeights, 'constants'>,
  dialect: Dialect,
): Uint8Array {
  const { keyValueHeads, headSize } = architecture.keyValueSizes;
  const graph = createGraph();
  const positions = graph.input('position_ids', 'int64', [1, 'length']);
  const keyPositions = graph.input('key_positions', 'int64', [1, 'keys']);
  const lastRow = graph.input('last_row', 'int64', [1]);

  const present: Record<string, Value> = {};
  const past = (name: string) => graph.input(name, 'float32', [1, keyValueHeads, 'past', headSize]);
  const extend = (layer: number, newKeys: Value, newValues: Value) => {
    const keys = concat([past(cacheName.pastKeys(layer)), newKeys], 2, 'keys');
    const values = concat([past(cacheName.pastValues(layer)), newValues], 2, 'keys');
    present[cacheName.keys(layer)] = keys;
    present[cacheName.values(layer)] = values;
    return { keys, values };
  };
  const input = {
    inputIds: graph.input('input_ids', 'int32', [1, 'length']),
    positions,
    ...constants(graph),
    scope: rowScope(positions, { keyPositions, extend }),
  };
  const last = gatherRows(hiddenStates(architecture, input), lastRow);
  return emitModel({ logits: architecture.logits(last, input), ...present }, { dialect });
}
