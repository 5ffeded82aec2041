import { mkdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { FuseMeshError } from '../../errors/fusemesh-error.ts';
import { onDisk } from '../../errors/on-disk.ts';
import { sleepUnlessAborted } from '../../process/lifecycle/repeat.ts';
import { beatEvery, HolderWatch, ourName } from './lock-holder.ts';

const lookEvery = 300;

/**
 * Does something in a directory that one process at a time works in; another one is waited for, on another machine or
 * in another container too. A process that was killed holds nothing any more (lock-holder.ts).
 *
 * @throws FuseMeshError cancelled when aborted while waiting
 */
export async function holdDirectory<T>(
  directory: string,
  signal: AbortSignal,
  work: () => Promise<T>,
): Promise<T> {
  const file = join(directory, 'in-work');
  await onDisk(directory, () => mkdir(directory, { recursive: true }));
  const watch = new HolderWatch();
  while (!(await onDisk(file, () => take(file, watch)))) {
    await sleepUnlessAborted(lookEvery, signal);
    if (signal.aborted)
      throw new FuseMeshError('cancelled', `Stopped while another feeder works in ${directory}.`);
  }
  // Nothing is lost by a beat that fails: the next one comes, and a disk that is full shows in the work.
  const beating = setInterval(() => utimes(file, new Date(), new Date()).catch(() => undefined), beatEvery);
  try {
    return await work();
  } finally {
    clearInterval(beating);
    await rm(file, { force: true });
  }
}

async function take(file: string, watch: HolderWatch): Promise<boolean> {
  try {
    await writeFile(file, ourName(), { flag: 'wx' });
    return true;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    // Where it was made and could not be written, nobody holds it.
    if (code === 'ENOSPC') await rm(file, { force: true });
    if (code !== 'EEXIST') throw error;
  }
  try {
    const { mtimeMs } = await stat(file);
    const name = await readFile(file, 'utf8');
    if (watch.isGone(name, mtimeMs, performance.now())) await rm(file, { force: true });
  } catch (error) {
    // It was given back meanwhile.
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
  return false;
}
