import type { Architecture } from '../families/architecture.ts';
import { partsOfAttention, rowScope, type SizesOfParts } from '../families/attention-scope.ts';
import { hiddenStates } from '../families/hidden-states.ts';
import type { FileWeights } from '../families/weights.ts';
import { cast, gatherElements, logSoftmax, reshape, topK } from '../graph/expressions.ts';
import type { Value } from '../graph/graph.ts';
import { createGraph } from '../graph/operators.ts';
import { product } from '../graph/shape.ts';
import { type Dialect, emitModel } from '../onnx/emit.ts';
import { appendToLogits } from '../onnx/exported/append-to-logits.ts';
import type { ExportedModel } from '../onnx/exported/read-exported-model.ts';

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

/** @param parts how large the parts of attention are; undefined: all of its scores stand in memory together */
export function scoringModels(
  architecture: Architecture,
  { constants }: Pick<FileWeights, 'constants'>,
  {
    parts = partsOfAttention(architecture.contextLength),
    dialect,
  }: { readonly parts?: SizesOfParts; readonly dialect?: Dialect } = {},
): ScoringModels {
  const body = createGraph();
  const positions = body.input('position_ids', 'int64', ['batch', 'length']);
  const hidden = hiddenStates(architecture, {
    inputIds: body.input('input_ids', 'int32', ['batch', 'length']),
    positions,
    scope: rowScope(positions, { parts }),
    ...constants(body),
  });
  const head = createGraph();
  const rows = head.input('hidden_states', 'float32', ['rows', architecture.hiddenSize]);
  return {
    body: emitModel({ hidden_states: hidden }, { dialect }),
    head: emitModel(scoringHead(architecture.logits(rows, constants(head))), { dialect }),
  };
}

/**
 * An exported model with the inputs and outputs of both {@link ScoringModels}.
 *
 * @returns bytes of a ModelProto; constants outside of the model's file stay where they are
 */
export const exportedScoringModel = (exported: ExportedModel): Uint8Array =>
  appendToLogits(exported, (logits) => {
    const [batch, length, vocabularySize] = logits.shape;
    return scoringHead(reshape(cast(logits, 'float32'), [product([batch, length]), vocabularySize]));
  });

/**
 * Log-softmax, top-k and cross-entropy behind logits, so that only k values a token leave the model. Adds the
 * inputs labels int32 [rows, 1] (the token after each row's) and k int64 [1].
 *
 * @param logits float32 [rows, vocabulary]
 * @returns log_probabilities float32 [rows, k] and candidate_ids int32 of the same shape, falling;
 * label_log_probabilities float32 [rows, 1]
 */
function scoringHead(logits: Value): Readonly<Record<string, Value>> {
  const { graph, shape } = logits;
  const labels = graph.input('labels', 'int32', [shape[0], 1]);
  const k = graph.input('k', 'int64', [1]);
  const logProbabilities = logSoftmax(logits);
  const { values, indices } = topK(logProbabilities, { value: k, size: 'k' });
  return {
    log_probabilities: values,
    candidate_ids: cast(indices, 'int32'),
    label_log_probabilities: gatherElements(logProbabilities, labels),
  };
}
