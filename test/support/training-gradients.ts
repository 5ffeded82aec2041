import type { EngineOptions } from '../../engine/engine-options.ts';
import { ModelInTraining } from '../../engine/model-in-training.ts';
import type { TensorValues } from '../../engine/trained-part.ts';
import type { TrainingBatch } from '../../engine/training-batch.ts';
import type { SafetensorsFile } from '../../model/safetensors/safetensors-file.ts';
import { largestDifference } from './golden.ts';

/**
 * Compares the gradient of every trained tensor with gradient:NAME of a golden file.
 *
 * @param values initial values of what is trained; left out, those of the directory
 * @returns by name, the largest difference relative to the tensor's largest gradient
 */
export async function gradientErrors(
  directory: string,
  options: EngineOptions,
  batch: TrainingBatch,
  expected: SafetensorsFile,
  values?: TensorValues,
): Promise<ReadonlyMap<string, number>> {
  const model = await ModelInTraining.open(directory, options);
  const { memory, tensors } = model;
  const { trained } = tensors;
  for (const { name, weights } of values ? trained : []) await memory.write(weights, values!.get(name)!);
  await model.computeGradients(batch);
  const errors = new Map<string, number>();
  for (const { name, gradient } of trained) {
    const right = await expected.readFloat32(`gradient:${name}`);
    const scale = right.reduce((largest, value) => Math.max(largest, Math.abs(value)), 0);
    errors.set(name, largestDifference(await memory.read(gradient), right) / scale);
  }
  await model.close();
  return errors;
}
