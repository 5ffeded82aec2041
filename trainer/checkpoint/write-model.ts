import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { openModelTensors } from '../../model/safetensors/model-tensors.ts';
import { type TensorToWrite, writeSafetensors } from '../../model/safetensors/write-safetensors.ts';
import { toBfloat16 } from '../../numbers/bfloat16.ts';
import { toFloat16 } from '../../numbers/float16.ts';
import type { TensorSnapshot } from '../engine/engine-snapshot.ts';
import { weightsFile } from './checkpoint-names.ts';
import { onDisk, publishDirectory } from './durable-files.ts';
import { copyModelFiles } from './model-files.ts';

/**
 * Writes the fused model as a clean Hugging Face directory: the target's configuration and tokenizer, and the
 * weights in the dtypes that the target's had. It takes the place of an earlier one only when it is whole.
 *
 * @param target Hugging Face directory of the model that was taught
 */
export async function writeModel(
  directory: string,
  target: string,
  tensors: readonly TensorSnapshot[],
): Promise<void> {
  const unfinished = `${directory}.unfinished`;
  const dtypes = await targetDtypes(target);
  await onDisk(`the fused model ${directory}`, async () => {
    await rm(unfinished, { recursive: true, force: true });
    await mkdir(unfinished, { recursive: true });
    await copyModelFiles(target, unfinished);
    const encoded = tensors.map((tensor) => encode(tensor, dtypes.get(tensor.name)));
    await writeSafetensors(join(unfinished, weightsFile), encoded);
    await publishDirectory(unfinished, directory);
  });
}

async function targetDtypes(target: string): Promise<Map<string, TensorToWrite['dtype']>> {
  const source = await openModelTensors(target);
  try {
    return new Map([...source.tensors.values()].map(({ name, dtype }) => [name, dtype]));
  } finally {
    await source.close();
  }
}

function encode(
  { name, shape, weights }: TensorSnapshot,
  dtype: TensorToWrite['dtype'] = 'F32',
): TensorToWrite {
  switch (dtype) {
    case 'F16':
      return { name, shape, dtype, data: bytesOf(toFloat16(weights)) };
    case 'BF16':
      return { name, shape, dtype, data: bytesOf(toBfloat16(weights)) };
    default:
      return { name, shape, dtype: 'F32', data: bytesOf(weights) };
  }
}

function bytesOf(values: Float32Array | Uint16Array): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}
