import { readArchitecture } from '../families/read-architecture.ts';
import { openWeights, readWeights } from '../families/weights.ts';
import type { LoraSettings } from './lora-settings.ts';
import { mergeAdapters } from './merge-adapters.ts';
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
