import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isRunning, thisProcess } from '../../../process/lifecycle/running-process.ts';

const prefix = 'fusemesh-target-';

/**
 * Makes a directory for what this process writes and removes again. Those of processes that were killed are removed:
 * each may have a model in it.
 *
 * @param parent left out, the system's directory for temporary files
 */
export async function makeScratchDirectory(parent = tmpdir()): Promise<string> {
  await mkdir(parent, { recursive: true });
  for (const name of await readdir(parent)) {
    const [, processId, started] = /^fusemesh-target-(\d+)-(\d*)-/.exec(name) ?? [];
    if (processId === undefined) continue;
    if (isRunning({ processId: Number(processId), started: started || undefined })) continue;
    // Somebody else's cannot be removed, and need not be.
    await rm(join(parent, name), { recursive: true, force: true }).catch(() => {});
  }
  const { processId, started = '' } = thisProcess();
  return mkdtemp(join(parent, `${prefix}${processId}-${started}-`));
}
