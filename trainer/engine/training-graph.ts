import type { Architecture } from '../../model/families/architecture.ts';
import { gradients } from '../../model/graph/gradients.ts';
import type { Value } from '../../model/graph/graph.ts';
import { createGraph } from '../../model/graph/operators.ts';
import { sparseCrossEntropy } from './fused-loss.ts';
import type { TrainedPart } from './trained-part.ts';

/** What the sizes of a batch are; the graph is made for them. */
export interface BatchSizes {
  /** B, documents in a batch. */
  readonly rows: number;
  /** T, positions a row. */
  readonly length: number;
  /** K, candidates of a fused distribution. */
  readonly candidates: number;
}

export const gradientName = (tensor: string): string => `gradient:${tensor}`;

/**
 * Forward, loss and backward as one graph, ready for emitModel.
 *
 * Inputs: input_ids int32 [B, T], position_ids int64 [B, T], target_ids int32 [B·T, 1 + K], target_weights
 * float32 of the same shape, tail_weights float32 [B·T, 1], and every trained tensor under its own name.
 * Outputs: log_probabilities float32 [B·T, 1 + K] at the targets, and the gradient of every trained tensor.
 *
 * @returns the outputs by name
 */
export function trainingGraph(
  architecture: Architecture,
  part: TrainedPart,
  { rows, length, candidates }: BatchSizes,
): Readonly<Record<string, Value>> {
  const graph = createGraph();
  const inputIds = graph.input('input_ids', 'int32', [rows, length]);
  const positions = graph.input('position_ids', 'int64', [rows, length]);
  const targetIds = graph.input('target_ids', 'int32', [rows * length, 1 + candidates]);
  const targetWeights = graph.input('target_weights', 'float32', [rows * length, 1 + candidates]);
  const tailWeights = graph.input('tail_weights', 'float32', [rows * length, 1]);
  const trained = new Map(
    [...part.shapes].map(([name, shape]) => [name, graph.input(name, 'float32', shape)]),
  );

  const input = { inputIds, positions, ...part.weightsIn(graph, (name) => trained.get(name)!) };
  const logits = architecture.logits(architecture.hiddenStates(input), input);
  const { loss, logProbabilities } = sparseCrossEntropy(logits, targetIds, targetWeights, tailWeights);
  const computed = gradients(loss, [...trained.values()]);
  return {
    log_probabilities: logProbabilities,
    ...Object.fromEntries([...trained.keys()].map((name, i) => [gradientName(name), computed[i]])),
  };
}
