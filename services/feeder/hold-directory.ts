import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { FuseMeshError } from '../../errors/fusemesh-error.ts';
import { sleepUnlessAborted } from '../../process/lifecycle/repeat.ts';

const lookEvery = 300;
/** Directories that this process holds. */
const ours = new Set<string>();

/**
 * Does something in a directory that one process at a time works in; another one is waited for. A process that was
 * killed holds nothing any more.
 *
 * @throws FuseMeshError cancelled when aborted while waiting
 */
export async function holdDirectory<T>(
  directory: string,
  signal: AbortSignal,
  work: () => Promise<T>,
): Promise<T> {
  await mkdir(directory, { recursive: true });
  const file = join(directory, 'in-work');
  while (!(await take(file))) {
    await sleepUnlessAborted(lookEvery, signal);
    if (signal.aborted)
      throw new FuseMeshError('cancelled', `Stopped while another feeder works in ${directory}.`);
  }
  ours.add(file);
  try {
    return await work();
  } finally {
    await rm(file, { force: true });
    ours.delete(file);
  }
}

async function take(file: string): Promise<boolean> {
  if (ours.has(file)) return false;
  try {
    await writeFile(file, String(process.pid), { flag: 'wx' });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
  const holder = Number(await readFile(file, 'utf8').catch(() => ''));
  // Our own number is that of one before us: numbers are given again, in containers at every start.
  if (holder === process.pid || !isRunning(holder)) await rm(file, { force: true });
  return false;
}

function isRunning(processId: number): boolean {
  if (processId === 0) return true;
  try {
    process.kill(processId, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
