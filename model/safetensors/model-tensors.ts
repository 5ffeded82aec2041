import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { FuseMeshError } from '../../errors/fusemesh-error.ts';
import { insteadOfModel } from '../instead-of-a-model.ts';
import { openSafetensors, type StoredTensor, type TensorSource } from './safetensors-file.ts';

const wholeName = 'model.safetensors';
const indexName = 'model.safetensors.index.json';

/**
 * Opens the weights of a Hugging Face directory: model.safetensors, or the files that
 * model.safetensors.index.json names.
 *
 * @throws FuseMeshError not_found when the directory has neither or a named file is missing, data_loss when
 *   one is damaged
 */
export async function openModelTensors(directory: string): Promise<TensorSource> {
  const index = await readIndex(directory);
  if (index !== undefined) return openAll(index.map((name) => join(directory, name)));
  try {
    return await openSafetensors(join(directory, wholeName));
  } catch (cause) {
    if (!(cause instanceof FuseMeshError) || cause.code !== 'not_found') throw cause;
    const instead =
      (await insteadOfModel(directory)) ?? `A model directory needs a ${wholeName} or a ${indexName}.`;
    throw new FuseMeshError('not_found', `No weights in ${directory}. ${instead}`, { cause });
  }
}

/** The files that a sharded model's index names; undefined when the model is not sharded. */
async function readIndex(directory: string): Promise<string[] | undefined> {
  const path = join(directory, indexName);
  let json: string;
  try {
    json = await readFile(path, 'utf8');
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw new FuseMeshError('failed_precondition', `Cannot read ${path}: ${message}`, { cause });
  }
  try {
    const { weight_map: fileOf } = JSON.parse(json) as { weight_map: Record<string, string> };
    return [...new Set(Object.values(fileOf))].sort();
  } catch (cause) {
    throw new FuseMeshError('data_loss', `${path} has no "weight_map": download it again.`, { cause });
  }
}

async function openAll(paths: readonly string[]): Promise<TensorSource> {
  const sourceOf = new Map<string, TensorSource>();
  const tensors = new Map<string, StoredTensor>();
  const opened: TensorSource[] = [];
  const close = async () => {
    await Promise.all(opened.map((file) => file.close()));
  };
  try {
    for (const path of paths) {
      const file = await openSafetensors(path);
      opened.push(file);
      for (const [name, tensor] of file.tensors) {
        tensors.set(name, tensor);
        sourceOf.set(name, file);
      }
    }
  } catch (error) {
    await close();
    throw error;
  }
  const source = (name: string): TensorSource => {
    const file = sourceOf.get(name);
    if (file !== undefined) return file;
    throw new FuseMeshError(
      'not_found',
      `None of the ${paths.length} files beside ${paths[0]} has a tensor ${name}: is it the right model?`,
    );
  };
  return {
    tensors,
    read: async (name) => source(name).read(name),
    readFloat32: async (name) => source(name).readFloat32(name),
    close,
  };
}
