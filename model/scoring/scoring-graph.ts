import type { Architecture } from '../families/architecture.ts';
import { weightConstant } from '../families/weights.ts';
import { createGraph } from '../graph/operators.ts';
import { emitModel } from '../onnx/emit.ts';
import type { TensorSource } from '../safetensors/safetensors-file.ts';
import { scoringHead } from './scoring-head.ts';

/**
 * A model that ends in log-softmax, top-k and cross-entropy, so that only k values a token leave it.
 *
 * Inputs: input_ids int32 [batch, length], position_ids int64 [batch, length], labels int32
 * [batch · length, 1] (the token after each), k int64 [1].
 * Outputs: log_probabilities float32 [batch · length, k] and candidate_ids int32 of the same shape, falling;
 * label_log_probabilities float32 [batch · length, 1].
 *
 * @returns bytes of a ModelProto; its weights stay in their files
 */
export function scoringModel(architecture: Architecture, { tensors }: TensorSource): Uint8Array {
  const graph = createGraph();
  const inputIds = graph.input('input_ids', 'int32', ['batch', 'length']);
  const positions = graph.input('position_ids', 'int64', ['batch', 'length']);

  const weights = new Map(
    [...architecture.weights.keys()].map((name) => [name, weightConstant(graph, tensors.get(name)!)]),
  );
  const input = { inputIds, positions, weight: (name: string) => weights.get(name)! };
  const logits = architecture.logits(architecture.hiddenStates(input), input);
  return emitModel(scoringHead(logits));
}
