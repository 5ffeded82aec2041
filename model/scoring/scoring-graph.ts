import type { Architecture, ModelWeights } from '../families/architecture.ts';
import { hiddenStates } from '../families/hidden-states.ts';
import { weightConstant } from '../families/weights.ts';
import type { Graph } from '../graph/graph.ts';
import { createGraph } from '../graph/operators.ts';
import { emitModel } from '../onnx/emit.ts';
import type { TensorSource } from '../safetensors/safetensors-file.ts';
import { scoringHead } from './scoring-head.ts';

/**
 * A model in two parts, each the bytes of a ModelProto; its weights stay in their files. The head is apart since
 * its logits, [rows, vocabulary], are by far the largest of all arrays: it can take a few rows at a time.
 */
export interface ScoringModels {
  /**
   * Inputs: input_ids int32 [batch, length], position_ids int64 [batch, length].
   * Output: hidden_states float32 [batch · length, hidden size].
   */
  readonly body: Uint8Array;
  /**
   * Inputs: hidden_states float32 [rows, hidden size], labels int32 [rows, 1] (the token after each), k int64 [1].
   * Outputs: log_probabilities float32 [rows, k] and candidate_ids int32 of the same shape, falling;
   * label_log_probabilities float32 [rows, 1].
   */
  readonly head: Uint8Array;
}

export function scoringModels(architecture: Architecture, { tensors }: TensorSource): ScoringModels {
  const weightsIn = (graph: Graph): ModelWeights => {
    const weights = new Map(
      [...architecture.weights.keys()].map((name) => [name, weightConstant(graph, tensors.get(name)!)]),
    );
    return { weight: (name) => weights.get(name)! };
  };

  const body = createGraph();
  const hidden = hiddenStates(architecture, {
    inputIds: body.input('input_ids', 'int32', ['batch', 'length']),
    positions: body.input('position_ids', 'int64', ['batch', 'length']),
    ...weightsIn(body),
  });
  const head = createGraph();
  const rows = head.input('hidden_states', 'float32', ['rows', architecture.hiddenSize]);
  return {
    body: emitModel({ hidden_states: hidden }),
    head: emitModel(scoringHead(architecture.logits(rows, weightsIn(head)))),
  };
}
