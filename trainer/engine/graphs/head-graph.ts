import type { Architecture } from '../../../model/families/architecture.ts';
import { accumulate } from '../../../model/graph/accumulate.ts';
import { gradients } from '../../../model/graph/gradients.ts';
import type { Value } from '../../../model/graph/graph.ts';
import { createGraph } from '../../../model/graph/operators.ts';
import type { Divergence } from '../loss/divergences.ts';
import { fusedLoss, targetInputs } from '../loss/fused-loss.ts';
import type { TrainedPart } from '../trained-part.ts';
import { PartTensors, sumName } from './segment.ts';

/** Values of logits that are computed at once: enough rows for the full speed of the products, and few megabytes. */
const logitsAtOnce = 1 << 23;

/** How many rows the head takes at a time. */
export const rowsOfHead = ({ vocabularySize }: Architecture): number =>
  Math.max(1, Math.floor(logitsAtOnce / vocabularySize));

/** What stands behind the last block, with loss and way back: for some rows at a time. */
export interface HeadGraph {
  /** What its tensors are called in the graph. */
  readonly tensors: readonly string[];
  /** [rows, 1] cross-entropy of the label, in nats. */
  readonly causal: Value;
  /** [rows, 1] divergence from the fused distribution, in nats. */
  readonly fusion: Value;
  /** ∂loss/∂hidden [rows, hidden size] */
  readonly inputCotangent: Value;
  /** By a trained tensor's input: its gradient, added to the input of the name {@link sumName}. */
  readonly sums: ReadonlyMap<string, Value>;
}

/** Inputs: hidden float32 [rows, hidden size], {@link targetInputs}, and the tensors by their names. */
export function headGraph(
  architecture: Architecture,
  part: TrainedPart,
  { candidates, divergence }: { readonly candidates: number; readonly divergence: Divergence },
): HeadGraph {
  const graph = createGraph();
  const hidden = graph.input('hidden', 'float32', ['rows', architecture.hiddenSize]);
  const tensors = new PartTensors(graph, part);
  const weights = part.weightsFrom(tensors.tensor);
  const logits = architecture.logits(architecture.finalNorm(hidden, weights), weights);
  const { loss, causal, fusion } = fusedLoss(logits, targetInputs(graph, candidates), divergence);
  const { trained } = tensors;
  const [inputCotangent, ...computed] = gradients(loss, [hidden, ...trained]);
  const sums = new Map(
    trained.map(({ name, shape }, i) => [
      name,
      accumulate(graph.input(sumName(name), 'float32', shape), computed[i]),
    ]),
  );
  return { tensors: [...tensors.inputs.keys()], causal, fusion, inputCotangent, sums };
}
