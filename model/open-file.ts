import { type FileHandle, open } from 'node:fs/promises';
import { FuseMeshError } from '../errors/fusemesh-error.ts';

/**
 * Opens a file for reading.
 *
 * @param what should be there, for the message: "weights"
 * @throws FuseMeshError not_found when there is none, failed_precondition when it cannot be opened
 */
export async function openFile(path: string, what: string): Promise<FileHandle> {
  try {
    return await open(path, 'r');
  } catch (cause) {
    const missing = (cause as NodeJS.ErrnoException).code === 'ENOENT';
    throw new FuseMeshError(
      missing ? 'not_found' : 'failed_precondition',
      missing ? `No ${what} at ${path}: check the path.` : `Cannot open ${path}: ${(cause as Error).message}`,
      { cause },
    );
  }
}
