import { FuseMeshError } from './fusemesh-error.ts';

/**
 * Turns an error of the file system into one line that a person can act on: a full disk does not say by itself where it
 * is.
 *
 * @param what is written, with its path: "the checkpoint /runs/demo/checkpoints/step-000040"
 */
export async function onDisk<T>(what: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    if (cause instanceof FuseMeshError || !(cause instanceof Error && 'code' in cause)) throw cause;
    const full = cause.code === 'ENOSPC' || cause.code === 'EDQUOT';
    throw new FuseMeshError(
      full ? 'resource_exhausted' : 'failed_precondition',
      `Cannot write ${what}: ${full ? 'the disk is full: make room there, or name a directory on another disk' : cause.message}.`,
      { cause },
    );
  }
}
