import { access, constants, lstat, readdir, statfs } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { FuseMeshError } from '../../errors/fusemesh-error.ts';

/** Bytes of the file system in which a path is or would be. */
export interface DiskSpace {
  /** The path itself, or the nearest folder above it that is there. */
  readonly path: string;
  readonly free: number;
  readonly total: number;
}

export async function spaceAt(path: string): Promise<DiskSpace> {
  const there = await nearestThere(path);
  const { bavail, blocks, bsize } = await statfs(there);
  return { path: there, free: bavail * bsize, total: blocks * bsize };
}

async function nearestThere(path: string): Promise<string> {
  const isThere = await lstat(path).then(
    () => true,
    () => false,
  );
  return isThere || dirname(path) === path ? path : nearestThere(dirname(path));
}

/** @throws FuseMeshError permission_denied where nothing may be written */
export async function expectWritable(key: string, path: string): Promise<void> {
  const there = await nearestThere(path);
  await access(there, constants.W_OK | constants.X_OK).catch((cause: NodeJS.ErrnoException) => {
    throw new FuseMeshError(
      'permission_denied',
      `${key}: nothing can be written in ${there} (${cause.code}): change its permissions, or name another directory`,
      { cause },
    );
  });
}

/** Bytes of all files in a directory and below; 0 where it is not there. */
export async function bytesBelow(directory: string): Promise<number> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true }).catch(() => []);
  const files = entries.filter((entry) => entry.isFile());
  // A checkpoint may go while it is looked at.
  const sizes = await Promise.all(
    files.map(({ parentPath, name }) =>
      lstat(join(parentPath, name)).then(
        ({ size }) => size,
        () => 0,
      ),
    ),
  );
  return sizes.reduce((sum, size) => sum + size, 0);
}
