import type { Architecture, ModelWeights } from '../../model/families/architecture.ts';
import type { LinearLayer } from '../../model/families/weight-shapes.ts';
import { readWeights, weightConstant } from '../../model/families/weights.ts';
import type { Graph, Value } from '../../model/graph/graph.ts';
import { adaptation, adapterShapes, initialAdapters } from '../../model/lora/adapters.ts';
import type { LoraSettings } from '../../model/lora/lora-settings.ts';
import { targetLayers } from '../../model/lora/target-layers.ts';
import type { TensorSource } from '../../model/safetensors/safetensors-file.ts';

/** What is trained of a model. */
export interface TrainedPart {
  /** Shape of every trained tensor by its name. */
  readonly shapes: ReadonlyMap<string, readonly number[]>;
  /** The model's weights in a graph, from the trained tensors there. */
  weightsIn(graph: Graph, trained: (name: string) => Value): ModelWeights;
}

/** Full training. */
export const everyWeight = ({ weights }: Architecture): TrainedPart => ({
  shapes: weights,
  weightsIn: (_, trained) => ({ weight: trained }),
});

/**
 * Low-rank adapters beside linear layers; the weights themselves are constants that ONNX Runtime reads from
 * their files.
 *
 * @param layers those that are adapted, by the names of their modules
 */
function lowRankAdapters(
  architecture: Architecture,
  { tensors }: TensorSource,
  layers: ReadonlyMap<string, LinearLayer>,
  settings: LoraSettings,
): TrainedPart {
  return {
    shapes: adapterShapes(layers, settings.rank),
    weightsIn(graph, trained) {
      const constants = new Map(
        [...architecture.weights.keys()].map((name) => [name, weightConstant(graph, tensors.get(name)!)]),
      );
      return {
        weight: (name) => constants.get(name)!,
        adapt: adaptation(layers, settings, trained),
      };
    },
  };
}

/** The part that is trained, and the values with which it begins. */
export async function beginning(
  architecture: Architecture,
  source: TensorSource,
  lora: LoraSettings | undefined,
): Promise<{ part: TrainedPart; initial: ReadonlyMap<string, Float32Array<ArrayBuffer>> }> {
  if (!lora) return { part: everyWeight(architecture), initial: await readWeights(source, architecture) };
  const layers = targetLayers(architecture, lora.targetModules);
  return {
    part: lowRankAdapters(architecture, source, layers, lora),
    initial: initialAdapters(layers, lora.rank),
  };
}
