import { join } from 'node:path';
import { writeModel } from '../../model/export/write-model.ts';
import { openSafetensors } from '../../model/safetensors/safetensors-file.ts';

/**
 * Writes a model of the same shape that says other things: its last normalisation is turned round, so that what was least
 * probable is most.
 *
 * @param original Hugging Face directory of a Llama
 */
export async function writeContrary(directory: string, original: string): Promise<void> {
  const file = await openSafetensors(join(original, 'model.safetensors'));
  try {
    const weights = new Map<string, Float32Array>();
    for (const name of file.tensors.keys()) weights.set(name, await file.readFloat32(name));
    const norm = weights.get('model.norm.weight')!;
    weights.set(
      'model.norm.weight',
      norm.map((value) => -value),
    );
    await writeModel(directory, original, weights);
  } finally {
    await file.close();
  }
}
