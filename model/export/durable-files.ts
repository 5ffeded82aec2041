import { open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';

/** Writes a file and returns when it is on disk, whatever happens to the machine. */
export async function writeDurably(path: string, data: string | Uint8Array): Promise<void> {
  const handle = await open(path, 'w');
  try {
    await handle.writeFile(data);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/**
 * Renames a finished directory, whose files are on disk, to its final name in one step; it replaces an
 * earlier one.
 */
export async function publishDirectory(unfinished: string, path: string): Promise<void> {
  await syncDirectory(unfinished);
  await rm(path, { recursive: true, force: true });
  await rename(unfinished, path);
  await syncDirectory(dirname(path));
}

/** Creates or replaces a file in one step. */
export async function replaceDurably(path: string, data: string | Uint8Array): Promise<void> {
  await writeDurably(`${path}.part`, data);
  await rename(`${path}.part`, path);
  await syncDirectory(dirname(path));
}

/** Syncs the names in a directory, which syncing a file does not. */
async function syncDirectory(path: string): Promise<void> {
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
