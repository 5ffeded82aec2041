import type { Architecture } from '../../model/families/architecture.ts';
import { gradients } from '../../model/graph/gradients.ts';
import type { Value } from '../../model/graph/graph.ts';
import { createGraph } from '../../model/graph/operators.ts';
import { reachable } from '../../model/graph/reachable.ts';
import { sameShape } from '../../model/graph/shape.ts';
import { sharedBuffers } from '../../model/graph/shared-buffers.ts';
import { type Divergences, fusedLoss, targetInputs } from '../loss/fused-loss.ts';
import type { TrainedPart } from '../trained-part.ts';
import {
  type GradientForm,
  PartTensors,
  resultsOf,
  type TensorGradient,
  tensorGradients,
} from './segment.ts';

/** How many logits are computed at once: enough rows for matrix products at full speed, in few megabytes. */
const logitsAtOnce = 1 << 23;

/** How many rows the head takes at a time. */
export const rowsOfHead = ({ vocabularySize }: Architecture): number =>
  Math.max(1, Math.floor(logitsAtOnce / vocabularySize));

/** What comes after the last block, with loss and backward pass, for some rows at a time. */
export interface HeadGraph {
  /** What its tensors are called in the graph. */
  readonly tensors: readonly string[];
  /** [rows, 1] cross-entropy of the label, in nats. */
  readonly causal: Value;
  /** [rows, 1] divergence from the fused distribution, in nats. */
  readonly fusion: Value;
  /** ∂loss/∂hidden [rows, hidden size] */
  readonly inputCotangent: Value;
  /** Values [rows, vocabulary], by far the largest: those of a list may share one buffer. */
  readonly wide: readonly (readonly Value[])[];
  /** By a trained tensor's input. */
  readonly gradients: ReadonlyMap<string, TensorGradient>;
}

/** All its outputs in training. */
export const headResults = (head: Omit<HeadGraph, 'tensors' | 'wide'>, form: GradientForm): Value[] => [
  head.causal,
  head.fusion,
  ...resultsOf(head, form),
];

/** Inputs: hidden float32 [rows, hidden size], {@link targetInputs}, and the tensors by their names. */
export function headGraph(
  architecture: Architecture,
  part: TrainedPart,
  options: Divergences & { readonly candidates: number },
): HeadGraph {
  const graph = createGraph();
  const hidden = graph.input('hidden', 'float32', ['rows', architecture.hiddenSize]);
  const tensors = new PartTensors(graph, part);
  const weights = part.weightsFrom(tensors.tensor);
  const logits = architecture.logits(architecture.finalNorm(hidden, weights), weights);
  const { loss, causal, fusion } = fusedLoss(logits, targetInputs(graph, options), options);
  const { trained } = tensors;
  const [inputCotangent, ...computed] = gradients(loss, [hidden, ...trained]);
  const head = { causal, fusion, inputCotangent, gradients: tensorGradients(trained, computed) };
  const { nodes } = reachable(headResults(head, 'alone'));
  const wide = sharedBuffers(nodes, ({ shape }) => sameShape(shape, logits.shape));
  return { ...head, tensors: [...tensors.inputs.keys()], wide };
}
