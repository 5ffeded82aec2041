import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { EngineSnapshot, TensorSnapshot } from '../../engine/engine-snapshot.ts';
import { trainedFile } from '../../model/checkpoints/checkpoint-files.ts';
import {
  checkpointNames,
  firstMomentOf,
  optimizerFile,
  secondMomentOf,
  stateFile,
} from '../../model/checkpoints/checkpoint-names.ts';
import { digestFile } from '../../model/checkpoints/file-digest.ts';
import { openSafetensors } from '../../model/safetensors/safetensors-file.ts';
import type { Log } from '../../process/log/log.ts';
import { parseRecord } from './checkpoint-record.ts';
import type { TrainingState } from './training-state.ts';

/** A whole checkpoint on disk. */
export interface SavedCheckpoint {
  readonly directory: string;
  readonly state: TrainingState;
}

/** The newest checkpoint that is whole; one that is damaged is named in the log and passed over. */
export async function newestCheckpoint(
  checkpoints: string,
  log: Pick<Log, 'warn'>,
): Promise<SavedCheckpoint | undefined> {
  for (const name of await checkpointNames(checkpoints)) {
    const directory = join(checkpoints, name);
    try {
      return { directory, state: await readState(directory) };
    } catch (error) {
      log.warn(
        { directory },
        `Checkpoint ${directory} is damaged and passed over: ${(error as Error).message}`,
      );
    }
  }
  return undefined;
}

/**
 * The newest checkpoint whose trainer-state.json is whole. Its other files are not looked at: enough for who only
 * wants to know how far a run has come.
 */
export async function newestRecord(checkpoints: string): Promise<SavedCheckpoint | undefined> {
  for (const name of await checkpointNames(checkpoints)) {
    const directory = join(checkpoints, name);
    try {
      return { directory, state: parseRecord(await readFile(join(directory, stateFile), 'utf8')).state };
    } catch {
      // The one before is older, and still true.
    }
  }
  return undefined;
}

/** Reads trainer-state.json and holds the other files against it, to the bit. */
async function readState(directory: string): Promise<TrainingState> {
  const { state, files } = parseRecord(await readFile(join(directory, stateFile), 'utf8'));
  for (const [name, { bytes, sha256 }] of Object.entries(files)) {
    const found = await digestFile(join(directory, name));
    if (found.bytes !== bytes) throw new Error(`${name} has ${found.bytes} bytes of ${bytes}`);
    if (found.sha256 !== sha256) throw new Error(`${name} is not what was written`);
  }
  return state;
}

/** Weights and optimizer state of a checkpoint, as the engine gave them. */
export async function readSnapshot({ directory, state }: SavedCheckpoint): Promise<EngineSnapshot> {
  const weights = await openSafetensors(join(directory, await trainedFile(directory)));
  try {
    const moments = await openSafetensors(join(directory, optimizerFile));
    try {
      const tensors: TensorSnapshot[] = [];
      for (const { name, shape } of weights.tensors.values()) {
        tensors.push({
          name,
          shape,
          weights: await weights.readFloat32(name),
          firstMoment: await moments.readFloat32(firstMomentOf(name)),
          secondMoment: await moments.readFloat32(secondMomentOf(name)),
        });
      }
      return { step: state.step - state.skippedSteps, tensors };
    } finally {
      await moments.close();
    }
  } finally {
    await weights.close();
  }
}
