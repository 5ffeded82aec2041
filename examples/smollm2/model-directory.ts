import { mkdir, readdir, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { FuseMeshError } from '../../errors/fusemesh-error.ts';
import { onDisk, publishDirectory, writeDurably } from '../../model/export/durable-files.ts';
import { writeSafetensors } from '../../model/safetensors/write-safetensors.ts';
import { configuration, generationConfiguration } from './configuration.ts';
import type { GgufFile } from './gguf-file.ts';
import { tokenizerConfiguration, tokenizerJson } from './tokenizer-files.ts';
import { readWeights } from './weights.ts';

const weightsFile = 'model.safetensors';
/** What stands in the directory besides the weights. */
const jsonFiles = {
  'config.json': configuration,
  'generation_config.json': generationConfiguration,
  'tokenizer.json': tokenizerJson,
  'tokenizer_config.json': tokenizerConfiguration,
};

/**
 * Whether the model is there. A directory appears all at once, so the names of its files suffice.
 *
 * @throws FuseMeshError already_exists when the directory holds something else
 */
export async function isWritten(directory: string): Promise<boolean> {
  let names: string[];
  try {
    names = await readdir(directory);
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    if (code === 'ENOENT') return false;
    throw new FuseMeshError('failed_precondition', `Cannot read ${directory}: ${message}`, { cause });
  }
  if (names.length === 0) return false;
  if ([weightsFile, ...Object.keys(jsonFiles)].every((name) => names.includes(name))) return true;
  throw new FuseMeshError(
    'already_exists',
    `${directory} holds something else than this whole model: name another directory, or empty it.`,
  );
}

/**
 * Writes a GGUF's model as a Hugging Face directory, which must be missing or empty. It appears all at once.
 *
 * @throws FuseMeshError resource_exhausted when the disk is full, failed_precondition when it refuses otherwise
 */
export async function writeModelDirectory(directory: string, file: GgufFile): Promise<void> {
  const unfinished = `${directory}.unfinished`;
  try {
    await onDisk(directory, async () => {
      await mkdir(dirname(directory), { recursive: true });
      await rm(unfinished, { recursive: true, force: true });
      await mkdir(unfinished);
      for (const [name, content] of Object.entries(jsonFiles)) {
        const json = JSON.stringify(content(file.metadata), null, 1);
        await writeDurably(join(unfinished, name), `${json}\n`);
      }
      await writeSafetensors(join(unfinished, weightsFile), await readWeights(file));
      await publishDirectory(unfinished, directory);
    });
  } finally {
    await rm(unfinished, { recursive: true, force: true });
  }
}
