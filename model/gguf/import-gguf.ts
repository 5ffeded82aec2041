import { mkdir, readdir, rm } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { FuseMeshError } from '../../errors/fusemesh-error.ts';
import { onDisk } from '../../errors/on-disk.ts';
import { publishDirectory, writeDurably } from '../export/durable-files.ts';
import { elementCount } from '../graph/shape.ts';
import { writeSafetensorsInParts } from '../safetensors/write-safetensors.ts';
import { GgufFile } from './gguf-file.ts';
import { type PlannedModel, plannedModel } from './planned-model.ts';
import { inParts } from './planned-weights.ts';

const weightsFile = 'model.safetensors';

export interface ImportOptions {
  /** Stops it, and leaves nothing behind. */
  readonly signal?: AbortSignal;
  /** Is told how many bytes of weights have been written, and how many there are. */
  readonly onProgress?: (done: number, all: number) => void;
}

/** What has been imported. */
export interface ImportedModel {
  readonly family: string;
  readonly parameters: number;
  /** What the weights take on disk. */
  readonly bytes: number;
}

/**
 * Writes the model of a GGUF as a Hugging Face directory. Weights keep their values to the bit: quantised ones become
 * float32, others stay as they are. The directory appears all at once.
 *
 * @param directory missing, or empty
 * @throws FuseMeshError not_found when there is no such file, data_loss when it is damaged, invalid_argument for what
 *   cannot be converted, by its name, already_exists when the directory holds something, resource_exhausted when the
 *   disk is full, failed_precondition when it refuses otherwise, cancelled
 */
export async function importGguf(
  path: string,
  directory: string,
  options: ImportOptions = {},
): Promise<ImportedModel> {
  await refuseOther(directory);
  const file = await GgufFile.open(path);
  try {
    const model = await plannedModel(file);
    return await writeDirectory(resolve(directory), file, model, options);
  } finally {
    await file.close();
  }
}

async function writeDirectory(
  directory: string,
  file: GgufFile,
  { architecture, jsonFiles, weights }: PlannedModel,
  { signal, onProgress }: ImportOptions,
): Promise<ImportedModel> {
  const bytesOf = ({ shape, source }: (typeof weights)[number]) =>
    elementCount(shape) * (source.format.dtype === 'F32' ? 4 : 2);
  const bytes = weights.reduce((sum, weight) => sum + bytesOf(weight), 0);
  let done = 0;
  const onPart = (written: number) => {
    if (signal?.aborted)
      throw new FuseMeshError('cancelled', `${directory} was not written: import it again.`);
    done += written;
    onProgress?.(done, bytes);
  };
  const unfinished = `${directory}.unfinished`;
  try {
    await onDisk(directory, async () => {
      await mkdir(dirname(directory), { recursive: true });
      await rm(unfinished, { recursive: true, force: true });
      await mkdir(unfinished);
      for (const [name, content] of Object.entries(jsonFiles)) {
        await writeDurably(join(unfinished, name), `${JSON.stringify(content, null, 1)}\n`);
      }
      await writeSafetensorsInParts(
        join(unfinished, weightsFile),
        weights.map((weight) => inParts(file, weight, onPart)),
      );
      await publishDirectory(unfinished, directory);
    });
  } finally {
    await rm(unfinished, { recursive: true, force: true });
  }
  const parameters = weights.reduce((sum, { shape }) => sum + elementCount(shape), 0);
  return { family: architecture.family, parameters, bytes };
}

/** Only a missing or empty directory is written. */
async function refuseOther(directory: string): Promise<void> {
  let names: string[];
  try {
    names = await readdir(directory);
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    if (code === 'ENOENT') return;
    throw new FuseMeshError('failed_precondition', `Cannot read ${directory}: ${message}`, { cause });
  }
  if (names.length === 0) return;
  throw new FuseMeshError(
    'already_exists',
    `${directory} holds something: name another directory, or empty it.`,
  );
}
