import type { Architecture } from '../families/architecture.ts';
import { partsOfAttention, rowScope, type SizesOfParts } from '../families/attention-scope.ts';
import { hiddenStates } from '../families/hidden-states.ts';
import type { FileWeights } from '../families/weights.ts';
import { cast, gatherElements, gatherRows, logSoftmax, reshape, topK } from '../graph/expressions.ts';
import type { Graph, Value } from '../graph/graph.ts';
import { createGraph } from '../graph/operators.ts';
import { product } from '../graph/shape.ts';
import { type Dialect, emitModel } from '../onnx/emit.ts';
import { appendToLogits } from '../onnx/exported/append-to-logits.ts';
import type { ExportedModel } from '../onnx/exported/read-exported-model.ts';

/**
 * A model in two parts, each the bytes of a ModelProto; its weights stay in their files. Between them, one row for
 * each token of the texts. The head is apart since its log-probabilities, [rows, vocabulary], are by far the largest
 * of all arrays: it can take a few rows at a time.
 */
export interface ScoringModels {
  /**
   * Inputs: input_ids int32 [batch, length], position_ids int64 [batch, length].
   * Output: float32 [batch · length, width].
   */
  readonly body: Uint8Array;
  /** Name of the body's output. */
  readonly states: string;
  /** Values of one of its rows. */
  readonly width: number;
  /**
   * Inputs: states float32 [tokens, width], rows int32 [rows] (which of them), labels int32 [rows, 1] (the token after
   * each), k int64 [1].
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
    parts,
    dialect = 'onnxruntime',
  }: { readonly parts: SizesOfParts | undefined; readonly dialect?: Dialect } = {
    parts: partsOfAttention(architecture.contextLength),
  },
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
  const logits = architecture.logits(rowsOfStates(head, architecture.hiddenSize), constants(head));
  return {
    // Under its own name the output is computed in the memory that it is given.
    body: emitModel({ [hidden.name]: hidden }, { dialect }),
    states: hidden.name,
    width: architecture.hiddenSize,
    head: scoringHead(logits, dialect),
  };
}

/** An exported model, whose body gives logits. */
export function exportedScoringModels(exported: ExportedModel, dialect: Dialect): ScoringModels {
  const width = exported.vocabularySize;
  let states = '';
  const body = appendToLogits(exported, (logits) => {
    const [batch, length] = logits.shape;
    const perToken = reshape(cast(logits, 'float32'), [product([batch, length]), width]);
    states = perToken.name;
    return { [states]: perToken };
  });
  return { body, states, width, head: scoringHead(rowsOfStates(createGraph(), width), dialect) };
}

const rowsOfStates = (graph: Graph, width: number): Value =>
  gatherRows(graph.input('states', 'float32', ['tokens', width]), graph.input('rows', 'int32', ['rows']));

/**
 * Log-softmax, top-k and cross-entropy behind logits, so that only k values a token leave the model.
 *
 * @param logits float32 [rows, vocabulary]
 * @returns bytes of a ModelProto
 */
function scoringHead(logits: Value, dialect: Dialect): Uint8Array {
  const { graph, shape } = logits;
  const labels = graph.input('labels', 'int32', [shape[0], 1]);
  const k = graph.input('k', 'int64', [1]);
  const logProbabilities = logSoftmax(logits);
  const { values, indices } = topK(logProbabilities, { value: k, size: 'k' });
  const outputs = {
    log_probabilities: values,
    candidate_ids: cast(indices, 'int32'),
    label_log_probabilities: gatherElements(logProbabilities, labels),
  };
  return emitModel(outputs, { dialect });
}
