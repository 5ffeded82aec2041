import { readArchitecture } from '../families/read-architecture.ts';
import type { LinearLayer } from '../families/weight-shapes.ts';
import { openWeights, readWeights } from '../families/weights.ts';
import { adapterNames } from './adapters.ts';
import type { LoraSettings } from './lora-settings.ts';
import { targetLayers } from './target-layers.ts';

/**
 * The weights of a model with adapters folded in, float32, by name.
 *
 * @param directory Hugging Face directory of the base model
 * @param adapters by name, as peft has them
 */
export async function mergedWeights(
  directory: string,
  lora: LoraSettings,
  adapters: ReadonlyMap<string, Float32Array>,
): Promise<ReadonlyMap<string, Float32Array>> {
  const architecture = await readArchitecture(directory);
  const source = await openWeights(directory, architecture);
  try {
    const weights = await readWeights(source, architecture);
    mergeAdapters(targetLayers(architecture, lora.targetModules), lora, weights, adapters);
    return weights;
  } finally {
    await source.close();
  }
}

/**
 * Folds adapters into a model's weights, in place: W + alpha / rank · B·A, so that the model alone computes
 * what both did.
 *
 * @param layers those that are adapted, by the names of their modules
 * @param weights the model's, by name
 * @param adapters A [rank, in] and B [out, rank], by name
 */
function mergeAdapters(
  layers: ReadonlyMap<string, LinearLayer>,
  { rank, alpha }: LoraSettings,
  weights: ReadonlyMap<string, Float32Array>,
  adapters: ReadonlyMap<string, Float32Array>,
): void {
  for (const [module, layer] of layers) {
    const { a, b } = adapterNames(module);
    const change = productOf(adapters.get(b)!, adapters.get(a)!, rank, layer, alpha / rank);
    const weight = weights.get(`${module}.weight`)!;
    for (let i = 0; i < weight.length; i++) weight[i] += change[i];
  }
}

/** scale · B·A in the layout of the layer's weight. */
function productOf(
  b: Float32Array,
  a: Float32Array,
  rank: number,
  { inputSize, outputSize, transposed }: LinearLayer,
  scale: number,
): Float32Array {
  const product = new Float32Array(outputSize * inputSize);
  for (let out = 0; out < outputSize; out++) {
    for (let r = 0; r < rank; r++) {
      const factor = b[out * rank + r] * scale;
      for (let i = 0; i < inputSize; i++) {
        product[transposed ? i * outputSize + out : out * inputSize + i] += factor * a[r * inputSize + i];
      }
    }
  }
  return product;
}
