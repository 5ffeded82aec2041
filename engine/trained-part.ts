import type { Architecture, ModelWeights } from '../model/families/architecture.ts';
import { readWeights } from '../model/families/weights.ts';
import type { Value } from '../model/graph/graph.ts';
import { adaptation, adapterShapes, initialAdapters } from '../model/lora/adapters.ts';
import type { LoraSettings } from '../model/lora/lora-settings.ts';
import { targetLayers } from '../model/lora/target-layers.ts';
import type { TensorSource } from '../model/safetensors/safetensors-file.ts';

/** What is trained of a model, and what stays as it is. */
export interface TrainedPart {
  /** Shape of every trained tensor by its name. */
  readonly shapes: ReadonlyMap<string, readonly number[]>;
  /** Shape of every tensor that is only read, by its name. */
  readonly frozen: ReadonlyMap<string, readonly number[]>;
  /** The model's weights in a graph, from the tensors there. */
  weightsFrom(tensor: (name: string) => Value): ModelWeights;
}

/** Full training where `lora` is left out, else low-rank adapters beside linear layers. */
export function trainedPart(architecture: Architecture, lora: LoraSettings | undefined): TrainedPart {
  if (!lora)
    return { shapes: architecture.weights, frozen: new Map(), weightsFrom: (tensor) => ({ weight: tensor }) };
  const layers = targetLayers(architecture, lora.targetModules);
  return {
    shapes: adapterShapes(layers, lora.rank),
    frozen: architecture.weights,
    weightsFrom: (tensor) => ({ weight: tensor, adapt: adaptation(layers, lora, tensor) }),
  };
}

/** Values by the names of tensors, row by row. */
export type TensorValues = ReadonlyMap<string, Float32Array<ArrayBuffer>>;

/** What is trained, and what is only read. */
export interface InitialValues {
  readonly trained: Map<string, Float32Array<ArrayBuffer>>;
  readonly frozen: Map<string, Float32Array<ArrayBuffer>>;
}

/** The values with which a training begins. */
export async function initialValues(
  architecture: Architecture,
  source: TensorSource,
  lora: LoraSettings | undefined,
): Promise<InitialValues> {
  const weights = await readWeights(source, architecture);
  if (!lora) return { trained: weights, frozen: new Map() };
  const layers = targetLayers(architecture, lora.targetModules);
  return { trained: initialAdapters(layers, lora.rank), frozen: weights };
}
