import { FuseMeshError } from '../../../errors/fusemesh-error.ts';
import { writeModel } from '../../../model/export/write-model.ts';
import { readArchitecture } from '../../../model/families/read-architecture.ts';
import { formatShape, sameShape } from '../../../model/graph/shape.ts';
import { adapterShapes } from '../../../model/lora/adapters.ts';
import { mergedWeights } from '../../../model/lora/merged-weights.ts';
import { targetLayers } from '../../../model/lora/target-layers.ts';
import { openSafetensors } from '../../../model/safetensors/safetensors-file.ts';
import type { TrainedFile } from './weights-source.ts';

/**
 * Makes a Hugging Face directory of trained weights: the same to the bit that the trainer would write if it ended
 * there. They are in the number formats of the model that is trained; where those are float16 or bfloat16, what is
 * served is rounded, and the trainer's own float32 weights are not.
 *
 * @param directory appears when it is complete
 * @param model Hugging Face directory of the model that is trained; adapters are merged into its weights
 * @throws FuseMeshError not_found when the file is gone, data_loss when it is damaged, failed_precondition when it is of another model
 */
export async function writeModelDirectory(
  directory: string,
  model: string,
  { path, adapter }: TrainedFile,
): Promise<void> {
  const architecture = await readArchitecture(model);
  const shapes = adapter
    ? adapterShapes(targetLayers(architecture, adapter.targetModules), adapter.rank)
    : architecture.weights;
  const trained = await readTrained(path, shapes, model);
  await writeModel(directory, model, adapter ? await mergedWeights(model, adapter, trained) : trained);
}

/** All tensors of a file, which must be just these. */
async function readTrained(
  path: string,
  shapes: ReadonlyMap<string, readonly number[]>,
  model: string,
): Promise<ReadonlyMap<string, Float32Array>> {
  const file = await openSafetensors(path);
  const refusal = (problem: string) =>
    new FuseMeshError(
      'failed_precondition',
      `The weights in ${path} are not of ${model}: ${problem}; give trainer and target service the same target.`,
    );
  try {
    for (const name of file.tensors.keys())
      if (!shapes.has(name)) throw refusal(`"${name}" is none of its tensors`);
    const weights = new Map<string, Float32Array>();
    for (const [name, shape] of shapes) {
      const stored = file.tensors.get(name);
      if (!stored) throw refusal(`"${name}" is missing`);
      if (!sameShape(stored.shape, shape))
        throw refusal(`"${name}" is ${formatShape(stored.shape)} and should be ${formatShape(shape)}`);
      weights.set(name, await file.readFloat32(name));
    }
    return weights;
  } finally {
    await file.close();
  }
}
