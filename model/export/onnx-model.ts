import type { Architecture } from '../families/architecture.ts';
import { rowScope } from '../families/attention-scope.ts';
import { hiddenStates } from '../families/hidden-states.ts';
import { fileWeights } from '../families/weights.ts';
import { greaterOrEqual, integers, reshape, where } from '../graph/expressions.ts';
import { createGraph } from '../graph/operators.ts';
import { emitModel } from '../onnx/emit.ts';
import type { TensorSource } from '../safetensors/safetensors-file.ts';

/** A position behind every token's, so that no query attends to a key there. */
const nowhere = 2 ** 30;

/**
 * A model as a plain ONNX file, in the layout of optimum's exports without a cache: of operators of the
 * standard only, for any runtime.
 *
 * Inputs: input_ids, attention_mask (0 for padding) and position_ids, int64 [batch, length] each.
 * Output: logits float32 [batch, length, vocabulary].
 *
 * @returns bytes of a ModelProto; its weights stay in their safetensors files, which must stand beside it
 */
export function onnxModel(architecture: Architecture, source: TensorSource): Uint8Array {
  const graph = createGraph();
  const input = (name: string) => graph.input(name, 'int64', ['batch', 'length']);
  const inputIds = input('input_ids');
  const attentionMask = input('attention_mask');
  const positions = input('position_ids');
  const keyPositions = where(
    greaterOrEqual(attentionMask, integers(graph, [1])),
    positions,
    integers(graph, [nowhere]),
  );
  const forward = {
    inputIds,
    positions,
    ...fileWeights(architecture, source).constants(graph),
    scope: rowScope(positions, { keyPositions }),
  };
  const logits = architecture.logits(hiddenStates(architecture, forward), forward);
  return emitModel(
    { logits: reshape(logits, ['batch', 'length', architecture.vocabularySize]) },
    { dialect: 'standard' },
  );
}
