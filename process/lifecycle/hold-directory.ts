import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { FuseMeshError } from '../../errors/fusemesh-error.ts';
import { onDisk } from '../../errors/on-disk.ts';
import { isRunning, thisProcess } from './running-process.ts';

/** Says in a directory which process writes there. */
const fileName = 'process.lock';

/** `started` tells a process from a later one of the same number; empty where the system does not say. */
const holderSchema = z.object({ host: z.string(), pid: z.number().int(), started: z.string() });
type Holder = z.infer<typeof holderSchema>;

/**
 * Makes this process the only one on this machine that writes to a directory, until it lets go or dies; makes the
 * directory where it is missing. A process of another machine cannot be looked at: there the hold at NATS decides.
 *
 * @param doing what is done there: "train run demo"
 * @returns lets go
 * @throws FuseMeshError already_exists where another process holds it
 */
export async function holdDirectory(directory: string, doing: string): Promise<() => Promise<void>> {
  const path = join(directory, fileName);
  const { processId: pid, started = '' } = thisProcess();
  const own: Holder = { host: hostname(), pid, started };
  for (;;) {
    if (await onDisk(path, () => take(path, own))) return () => rm(path, { force: true });
    const holder = await holderOf(path);
    if (holder && isThere(holder, own)) {
      throw new FuseMeshError(
        'already_exists',
        `Cannot ${doing}: process ${holder.pid} writes to ${directory} already: end it, or name another directory.`,
      );
    }
    await rm(path, { force: true });
  }
}

/** @returns false where somebody has it */
async function take(path: string, own: Holder): Promise<boolean> {
  await mkdir(dirname(path), { recursive: true });
  try {
    await writeFile(path, `${JSON.stringify(own)}\n`, { flag: 'wx' });
    return true;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST') return false;
    // Where it was made and could not be written, nobody holds it.
    if (code === 'ENOSPC') await rm(path, { force: true });
    throw error;
  }
}

async function holderOf(path: string): Promise<Holder | undefined> {
  try {
    return holderSchema.safeParse(JSON.parse(await readFile(path, 'utf8'))).data;
  } catch {
    // Gone again, or torn by a power failure.
    return undefined;
  }
}

const isThere = ({ host, pid, started }: Holder, own: Holder): boolean =>
  host === own.host && isRunning({ processId: pid, started: started || undefined });
