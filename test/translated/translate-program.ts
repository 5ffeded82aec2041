import { mkdir, readdir, rm, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { writeProgram } from '../../deploy/image/program.ts';
import { isAlive } from '../end-to-end/small-run.ts';
import { checkout, setTranslatedFolder } from './folder.ts';

/** Below the checkout, where the program finds its packages; git ignores it. */
const parent = join(checkout, '.fusemesh');
/** What people install there, and the program looks for in its own checkout. */
const installed = ['bin', 'cuda'];

/**
 * Before the first test of a run: writes the program down in JavaScript, as an image has it. Tests start hundreds of
 * its processes and threads, each of which would translate itself. Every run has a folder of its own, so that two may
 * go on at once.
 *
 * @returns what removes it after the last test
 */
export default async function translateProgram(project: TestProject): Promise<() => Promise<void>> {
  await mkdir(parent, { recursive: true });
  await removeLeft();
  const folder = join(parent, `translated-${process.pid}`);
  const remove = () => rm(folder, { recursive: true, force: true });
  const write = async () => {
    await writeProgram(folder);
    await mkdir(join(folder, '.fusemesh'));
    for (const name of installed) await symlink(join(parent, name), join(folder, '.fusemesh', name));
  };
  await write();
  // Where vitest watches, tests that run again take the program as it is then.
  project.onTestsRerun(() => remove().then(write));
  setTranslatedFolder(folder);
  return remove;
}

/** A run that is killed leaves its folder. */
async function removeLeft(): Promise<void> {
  for (const name of await readdir(parent)) {
    const pid = /^translated-(\d+)$/.exec(name)?.[1];
    if (pid === undefined || (Number(pid) !== process.pid && isAlive(Number(pid)))) continue;
    await rm(join(parent, name), { recursive: true, force: true });
  }
}
