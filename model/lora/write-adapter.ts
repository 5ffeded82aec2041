import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { onDisk } from '../../errors/on-disk.ts';
import { publishDirectory, writeDurably } from '../export/durable-files.ts';
import { writeSafetensors } from '../safetensors/write-safetensors.ts';
import { type AdapterConfig, adapterConfigFile, adapterWeightsFile } from './read-adapter.ts';

/** An adapter's tensor in training. */
interface AdapterTensor {
  readonly name: string;
  readonly shape: readonly number[];
  readonly weights: Float32Array;
}

/** Writes both files of an adapter into a directory, as peft reads them. */
export async function writeAdapterFiles(
  directory: string,
  config: AdapterConfig,
  tensors: readonly AdapterTensor[],
): Promise<void> {
  await writeSafetensors(
    join(directory, adapterWeightsFile),
    tensors.map(({ name, shape, weights }) => ({
      name,
      dtype: 'F32',
      shape,
      data: new Uint8Array(weights.buffer, weights.byteOffset, weights.byteLength),
    })),
  );
  await writeDurably(join(directory, adapterConfigFile), adapterConfigJson(config));
}

/**
 * {@link writeAdapterFiles} in a directory of their own, which replaces an earlier one once it is complete.
 */
export async function writeAdapter(
  directory: string,
  config: AdapterConfig,
  tensors: readonly AdapterTensor[],
): Promise<void> {
  const unfinished = `${directory}.unfinished`;
  await onDisk(`the adapter ${directory}`, async () => {
    await rm(unfinished, { recursive: true, force: true });
    await mkdir(unfinished, { recursive: true });
    await writeAdapterFiles(unfinished, config, tensors);
    await publishDirectory(unfinished, directory);
  });
}

function adapterConfigJson({ rank, alpha, targetModules, baseModel, transposed }: AdapterConfig): string {
  const config = {
    peft_type: 'LORA',
    task_type: 'CAUSAL_LM',
    base_model_name_or_path: baseModel ?? null,
    r: rank,
    lora_alpha: alpha,
    lora_dropout: 0,
    bias: 'none',
    fan_in_fan_out: transposed,
    target_modules: targetModules,
    inference_mode: true,
  };
  return `${JSON.stringify(config, null, 2)}\n`;
}
