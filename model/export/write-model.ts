import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { onDisk } from '../../errors/on-disk.ts';
import { toBfloat16 } from '../../numbers/bfloat16.ts';
import { toFloat16 } from '../../numbers/float16.ts';
import type { Architecture } from '../families/architecture.ts';
import { readConfig } from '../families/read-architecture.ts';
import { openWeights } from '../families/weights.ts';
import type { Dtype } from '../safetensors/header.ts';
import { type TensorToWrite, writeSafetensors } from '../safetensors/write-safetensors.ts';
import { copyCompanionFiles } from './companion-files.ts';
import { publishDirectory, writeDurably } from './durable-files.ts';
import { onnxModel } from './onnx-model.ts';

/**
 * Writes a trained model as a Hugging Face directory: configuration and tokenizer of the original, weights in
 * the original's dtypes, and model.onnx, which reads its weights from model.safetensors beside it. It
 * replaces an earlier directory only when it is complete.
 *
 * @param original Hugging Face directory of the model before the training
 * @param weights float32, by name
 */
export async function writeModel(
  directory: string,
  original: string,
  weights: ReadonlyMap<string, Float32Array>,
): Promise<void> {
  const { config, architecture, isCorrected } = await readConfig(original);
  const dtypes = await storedDtypes(original, architecture);
  const tensors = [...weights].map(([name, values]) =>
    encode(name, architecture.weights.get(name)!, values, dtypes.get(name)!),
  );
  const unfinished = `${directory}.unfinished`;
  await onDisk(`the model ${directory}`, async () => {
    await rm(unfinished, { recursive: true, force: true });
    await mkdir(unfinished, { recursive: true });
    await copyCompanionFiles(original, unfinished);
    // Older transformers would tie a head of its own to the embedding.
    if (isCorrected) {
      await writeDurably(join(unfinished, 'config.json'), `${JSON.stringify(config, null, 2)}\n`);
    }
    await writeSafetensors(join(unfinished, 'model.safetensors'), tensors);
    const source = await openWeights(unfinished, architecture);
    await source.close();
    await writeDurably(join(unfinished, 'model.onnx'), onnxModel(architecture, source));
    await publishDirectory(unfinished, directory);
  });
}

async function storedDtypes(
  directory: string,
  architecture: Architecture,
): Promise<ReadonlyMap<string, Dtype>> {
  const source = await openWeights(directory, architecture);
  await source.close();
  return new Map([...source.tensors.values()].map(({ name, dtype }) => [name, dtype]));
}

function encode(name: string, shape: readonly number[], values: Float32Array, dtype: Dtype): TensorToWrite {
  switch (dtype) {
    case 'F16':
      return { name, shape, dtype, data: bytesOf(toFloat16(values)) };
    case 'BF16':
      return { name, shape, dtype, data: bytesOf(toBfloat16(values)) };
    default:
      return { name, shape, dtype: 'F32', data: bytesOf(values) };
  }
}

function bytesOf(values: Float32Array | Uint16Array): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}
