import { readdir } from 'node:fs/promises';

const pattern = /^step-(\d{6,})$/;

export const stateFile = 'trainer-state.json';
export const weightsFile = 'model.safetensors';
export const optimizerFile = 'optimizer.safetensors';

/** In optimizer.safetensors, AdamW's moments of weight W are "first_moment.W" and "second_moment.W". */
export const firstMomentOf = (name: string): string => `first_moment.${name}`;
export const secondMomentOf = (name: string): string => `second_moment.${name}`;

/** step-000050, so that names sort as steps do. */
export function checkpointName(step: number): string {
  return `step-${step.toString().padStart(6, '0')}`;
}

/** The step in a checkpoint's name. */
export const stepOfCheckpoint = (name: string): number => Number(pattern.exec(name)?.[1]);

/** Names of the checkpoints in a directory, newest first; those being written have other names. */
export async function checkpointNames(directory: string): Promise<string[]> {
  let names: string[];
  try {
    names = await readdir(directory);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
  return names.filter((name) => pattern.test(name)).sort((a, b) => stepOfCheckpoint(b) - stepOfCheckpoint(a));
}

/**
 * Which checkpoints go when one has been written: all but that one, those right before it and the best. Later
 * ones can only be damaged, or the training would have resumed from them.
 *
 * @param names newest first
 * @param keep how many stay, the one that was written among them
 * @param best the step of the best, undefined where none is known
 */
export function checkpointsToRemove(
  names: readonly string[],
  written: number,
  keep: number,
  best: number | undefined,
): string[] {
  const newest = names.indexOf(checkpointName(written));
  const bestName = best === undefined ? undefined : checkpointName(best);
  return names.filter((name, i) => (i < newest || i >= newest + keep) && name !== bestName);
}
