import type { Architecture } from '../../model/families/architecture.ts';
import { packedScope, type SizesOfParts } from '../../model/families/attention-scope.ts';
import { createGraph } from '../../model/graph/operators.ts';
import type { TrainedPart } from '../trained-part.ts';
import { PartTensors, type Segment, segment } from './segment.ts';

/** In a block's graph, tensors have their names in the model, with this in place of the block's path. */
const anyBlock = '(block)';

/** What a tensor of block i is called in the graph of such a block. */
export const nameInBlock = ({ blockPath }: Architecture, index: number, tensor: string): string =>
  tensor.replace(`${blockPath(index)}.`, `${anyBlock}.`);

/** The tensor of block i by what it is called in the graph of such a block. */
export const tensorOfBlock = ({ blockPath }: Architecture, index: number, input: string): string =>
  input.replace(`${anyBlock}.`, `${blockPath(index)}.`);

/**
 * One block; all blocks of a kind of which the same tensors are trained have the same graph. Inputs: hidden float32
 * [tokens, hidden size], position_ids int64 [tokens, 1]; slot_tokens, token_slots, slot_positions and mask,
 * see {@link packedScope}; and the tensors. Output: hidden of the next.
 *
 * @param parts where attention is to be computed in parts: there is no mask then, and slot_positions are int64
 */
export function blockGraph(
  architecture: Architecture,
  part: TrainedPart,
  index: number,
  parts?: SizesOfParts,
): Segment {
  const graph = createGraph();
  const hidden = graph.input('hidden', 'float32', ['tokens', architecture.hiddenSize]);
  const tensors = new PartTensors(graph, part, (name) => nameInBlock(architecture, index, name));
  const block = architecture.blocks({
    positions: graph.input('position_ids', 'int64', ['tokens', 1]),
    scope: packedScope({
      positions: graph.input('slot_positions', parts ? 'int64' : 'int32', ['rows', 'length']),
      slotTokens: graph.input('slot_tokens', 'int32', ['length*rows']),
      tokenSlots: graph.input('token_slots', 'int32', ['tokens']),
      mask: parts ?? graph.input('mask', 'float32', ['rows', 1, 1, 'length', 'length']),
    }),
    ...part.weightsFrom(tensors.tensor),
  });
  return segment(block(index, hidden), tensors, hidden);
}
