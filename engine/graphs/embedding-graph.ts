import type { Architecture } from '../../model/families/architecture.ts';
import { createGraph } from '../../model/graph/operators.ts';
import type { TrainedPart } from '../trained-part.ts';
import { PartTensors, type Segment, segment } from './segment.ts';

/**
 * What comes before the first block. Inputs: input_ids int32 [tokens, 1], position_ids int64 [tokens, 1] and
 * the tables by their names. Output: float32 [tokens, hidden size].
 */
export function embeddingGraph(architecture: Architecture, part: TrainedPart): Segment {
  const graph = createGraph();
  const tensors = new PartTensors(graph, part);
  const output = architecture.embeddings({
    inputIds: graph.input('input_ids', 'int32', ['tokens', 1]),
    positions: graph.input('position_ids', 'int64', ['tokens', 1]),
    ...part.weightsFrom(tensors.tensor),
  });
  return segment(output, tensors);
}
