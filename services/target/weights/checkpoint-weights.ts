import { join } from 'node:path';
import { FuseMeshError } from '../../../errors/fusemesh-error.ts';
import {
  type CheckpointFiles,
  readCheckpointFiles,
  trainedFile,
} from '../../../model/checkpoints/checkpoint-files.ts';
import { checkpointNames, stepOfCheckpoint } from '../../../model/checkpoints/checkpoint-names.ts';
import { digestFile } from '../../../model/checkpoints/file-digest.ts';
import { adapterWeightsFile, readAdapterConfig } from '../../../model/lora/read-adapter.ts';
import { sleepUnlessAborted } from '../../../process/lifecycle/repeat.ts';
import type { Log } from '../../../process/log/log.ts';
import type { OfferedWeights, TrainedFile, WeightsSource } from './weights-source.ts';

/** Between two looks at the directory, in milliseconds. */
const lookEvery = 1_000;

/**
 * The newest checkpoint of a directory such as OUTPUT/checkpoints, and newer ones as they come. One that is being
 * written has another name, so it is never read; one that is damaged is named in the log and passed over.
 */
export function checkpointWeights(checkpoints: string, log: Pick<Log, 'warn'>): WeightsSource {
  /** By id, whether a checkpoint is whole: each is looked at once. */
  const known = new Map<string, boolean>();

  async function isWhole(directory: string, found: CheckpointFiles): Promise<boolean> {
    const whole = known.get(found.id) ?? (await hasItsWeights(directory, found));
    if (!whole && !known.has(found.id)) {
      log.warn({ directory }, `Checkpoint ${directory} is damaged and passed over`);
    }
    known.set(found.id, whole);
    return whole;
  }

  async function newest(): Promise<OfferedWeights | undefined> {
    for (const name of await checkpointNames(checkpoints)) {
      const directory = join(checkpoints, name);
      try {
        const found = await readCheckpointFiles(directory);
        if (await isWhole(directory, found)) {
          return { id: found.id, step: stepOfCheckpoint(name), fetch: () => fileOf(directory) };
        }
      } catch (error) {
        // The trainer has removed it since.
        if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
      }
    }
    return undefined;
  }

  return {
    async *follow(signal) {
      let given: string | undefined;
      for (let first = true; !signal.aborted; first = false) {
        const found = await newest();
        if (found !== undefined && found.id !== given) {
          given = found.id;
          yield found;
        } else if (first && found === undefined) yield undefined;
        else await sleepUnlessAborted(lookEvery, signal);
      }
    },
  };
}

async function hasItsWeights(directory: string, { files }: CheckpointFiles): Promise<boolean> {
  const name = await trainedFile(directory);
  const written = files[name];
  if (written === undefined) return false;
  const { bytes, sha256 } = await digestFile(join(directory, name));
  return bytes === written.bytes && sha256 === written.sha256;
}

async function fileOf(directory: string): Promise<TrainedFile> {
  try {
    const name = await trainedFile(directory);
    const adapter = name === adapterWeightsFile ? await readAdapterConfig(directory) : undefined;
    return { path: join(directory, name), adapter };
  } catch (cause) {
    throw new FuseMeshError('not_found', `The checkpoint ${directory} is not there any more.`, { cause });
  }
}
