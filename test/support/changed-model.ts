import { join } from 'node:path';
import { writeModel } from '../../model/export/write-model.ts';
import { openSafetensors } from '../../model/safetensors/safetensors-file.ts';

/**
 * Weights of the same shape that say other things: the last normalisation is turned round, so that what was least probable
 * is most.
 *
 * @param original Hugging Face directory of a Llama
 * @returns float32, by name
 */
export async function contraryWeights(original: string): Promise<ReadonlyMap<string, Float32Array>> {
  const file = await openSafetensors(join(original, 'model.safetensors'));
  try {
    const weights = new Map<string, Float32Array>();
    for (const name of file.tensors.keys()) weights.set(name, await file.readFloat32(name));
    const norm = weights.get('model.norm.weight')!;
    weights.set(
      'model.norm.weight',
      norm.map((value) => -value),
    );
    return weights;
  } finally {
    await file.close();
  }
}

/** Writes the model that {@link contraryWeights} make. */
export const writeContrary = async (directory: string, original: string): Promise<void> =>
  writeModel(directory, original, await contraryWeights(original));
