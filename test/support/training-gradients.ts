import type { EngineOptions } from '../../engine/engine-options.ts';
import { type Losses, ModelInTraining } from '../../engine/model-in-training.ts';
import type { TensorValues } from '../../engine/trained-part.ts';
import type { TrainingBatch } from '../../engine/training-batch.ts';
import type { SafetensorsFile } from '../../model/safetensors/safetensors-file.ts';
import { largestDifference } from './golden.ts';

/**
 * The losses of a batch, and the gradient of every trained tensor.
 *
 * @param values initial values of what is trained; left out, those of the directory
 */
export async function gradientsOf(
  directory: string,
  options: EngineOptions,
  batch: TrainingBatch,
  values?: TensorValues,
): Promise<{ readonly losses: Losses; readonly gradients: TensorValues }> {
  const model = await ModelInTraining.open(directory, options);
  const { memory, tensors } = model;
  const { trained } = tensors;
  for (const { name, weights } of values ? trained : []) await memory.write(weights, values!.get(name)!);
  const losses = await model.computeGradients(batch);
  const gradients = new Map<string, Float32Array<ArrayBuffer>>();
  for (const { name, gradient } of trained) gradients.set(name, await memory.read(gradient));
  await model.close();
  return { losses, gradients };
}

/**
 * Compares the gradient of every trained tensor with gradient:NAME of a golden file.
 *
 * @param values as of {@link gradientsOf}
 * @returns by name, the largest difference relative to the tensor's largest gradient
 */
export async function gradientErrors(
  directory: string,
  options: EngineOptions,
  batch: TrainingBatch,
  expected: SafetensorsFile,
  values?: TensorValues,
): Promise<ReadonlyMap<string, number>> {
  const { gradients } = await gradientsOf(directory, options, batch, values);
  const errors = new Map<string, number>();
  for (const [name, gradient] of gradients) {
    const right = await expected.readFloat32(`gradient:${name}`);
    const scale = right.reduce((largest, value) => Math.max(largest, Math.abs(value)), 0);
    errors.set(name, largestDifference(gradient, right) / scale);
  }
  return errors;
}
