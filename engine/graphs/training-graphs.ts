import type { Architecture } from '../../model/families/architecture.ts';
import type { SizesOfParts } from '../../model/families/attention-scope.ts';
import { createGraph } from '../../model/graph/operators.ts';
import type { Divergences } from '../loss/fused-loss.ts';
import type { TrainedPart } from '../trained-part.ts';
import { blockGraph, nameInBlock } from './block-graph.ts';
import { type HeadGraph, headGraph } from './head-graph.ts';
import { PartTensors, type Segment, segment } from './segment.ts';

/** All that a training step computes, as graphs. */
export interface TrainingGraphs {
  readonly embeddings: Segment;
  /** The different graphs of blocks: only one, where all compute the same and the same tensors of each are trained. */
  readonly kinds: readonly Segment[];
  /** Of each block, which of them is its graph. */
  readonly kindOfBlock: readonly number[];
  readonly head: HeadGraph;
}

export function trainingGraphs(
  architecture: Architecture,
  part: TrainedPart,
  options: Divergences & {
    readonly candidates: number;
    /** How large the parts of attention are; left out, it is computed as a whole. */
    readonly parts?: SizesOfParts | undefined;
  },
): TrainingGraphs {
  const kinds = new Map<string, { readonly number: number; readonly graph: Segment }>();
  const kindOfBlock = Array.from({ length: architecture.keyValueSizes.layers }, (_, index) => {
    const trained = [...part.shapes.keys()]
      .map((name) => nameInBlock(architecture, index, name))
      .filter((name) => !part.shapes.has(name))
      .join();
    const kind = `${architecture.kindOfBlock?.(index) ?? ''}: ${trained}`;
    const known = kinds.get(kind);
    if (known) return known.number;
    kinds.set(kind, { number: kinds.size, graph: blockGraph(architecture, part, index, options.parts) });
    return kinds.size - 1;
  });
  return {
    embeddings: embeddingGraph(architecture, part),
    kinds: [...kinds.values()].map(({ graph }) => graph),
    kindOfBlock,
    head: headGraph(architecture, part, options),
  };
}

/**
 * What stands before the first block. Inputs: input_ids int32 [tokens, 1], position_ids int64 [tokens, 1] and the
 * tables by their names. Output: float32 [tokens, hidden size].
 */
function embeddingGraph(architecture: Architecture, part: TrainedPart): Segment {
  const graph = createGraph();
  const tensors = new PartTensors(graph, part);
  const output = architecture.embeddings({
    inputIds: graph.input('input_ids', 'int32', ['tokens', 1]),
    positions: graph.input('position_ids', 'int64', ['tokens', 1]),
    ...part.weightsFrom(tensors.tensor),
  });
  return segment(output, tensors);
}
