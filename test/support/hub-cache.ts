import { cp, mkdir, readdir, rename, symlink } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { temporaryDirectory } from './temporary-directory.ts';

/**
 * A copy of a model directory as the Hugging Face hub's cache has it: blobs/N are the files, and snapshots/REVISION
 * holds links to them under their names, in subfolders too.
 *
 * @returns the snapshot's directory
 */
export async function hubCacheOf(model: string): Promise<string> {
  const cache = await temporaryDirectory();
  const snapshot = join(cache, 'snapshots', 'abc');
  await mkdir(join(cache, 'blobs'));
  await cp(model, snapshot, { recursive: true });
  const entries = await readdir(snapshot, { recursive: true, withFileTypes: true });
  for (const [i, entry] of entries.filter((each) => each.isFile()).entries()) {
    const blob = join(cache, 'blobs', String(i));
    const path = join(entry.parentPath, entry.name);
    await rename(path, blob);
    await symlink(relative(entry.parentPath, blob), path);
  }
  return snapshot;
}
