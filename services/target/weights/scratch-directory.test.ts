import { spawnSync } from 'node:child_process';
import { mkdir, readdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { expect, it } from 'vitest';
import { temporaryDirectory } from '../../../test/support/temporary-directory.ts';
import { makeScratchDirectory } from './scratch-directory.ts';

it('leaves the directories of processes that run, and removes what a killed one has left', async () => {
  const parent = join(await temporaryDirectory(), 'scratch');
  const first = await makeScratchDirectory(parent);
  const { pid } = spawnSync(process.execPath, ['--version']);
  await mkdir(join(parent, `fusemesh-target-${pid}-1-abcdef`, 'step-000004-0'), { recursive: true });
  // The same number, of a process that began at another time: as in a container that was started again.
  await mkdir(join(parent, `fusemesh-target-${process.pid}-1-abcdef`));
  await mkdir(join(parent, 'somebody-elses'));
  const second = await makeScratchDirectory(parent);
  expect((await readdir(parent)).sort()).toEqual(
    [basename(first), basename(second), 'somebody-elses'].sort(),
  );
});
