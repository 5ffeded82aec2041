import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { temporaryDirectory } from '../../test/support/temporary-directory.ts';
import { holdDirectory } from './hold-directory.ts';

const module = fileURLToPath(new URL('hold-directory.ts', import.meta.url));

/** A process that holds a directory until it is killed. */
async function holder(directory: string) {
  const program = `
    const { holdDirectory } = await import(${JSON.stringify(module)});
    await holdDirectory(${JSON.stringify(directory)}, 'test');
    console.log('held');
    setInterval(() => {}, 1000);`;
  const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '--eval', program], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(child.stdout, 'data');
  return child;
}

it('refuses a second process, though the first is stopped, and takes over from one that was killed', async () => {
  const directory = join(await temporaryDirectory(), 'output');
  const first = await holder(directory);
  first.kill('SIGSTOP');
  await expect(holdDirectory(directory, 'train run demo')).rejects.toMatchObject({
    code: 'already_exists',
    message: `Cannot train run demo: process ${first.pid} writes to ${directory} already: end it, or name another directory.`,
  });
  first.kill('SIGKILL');
  await once(first, 'exit');
  const release = await holdDirectory(directory, 'train run demo');
  // This process itself is one that is there.
  await expect(holdDirectory(directory, 'train again')).rejects.toMatchObject({ code: 'already_exists' });
  await release();
  expect(await readdir(directory)).toEqual([]);
});

it('takes over from an earlier process of the same number, as in a container that was started again', async () => {
  const directory = await temporaryDirectory();
  const release = await holdDirectory(directory, 'train');
  const [name] = await readdir(directory);
  const path = join(directory, name);
  const held = JSON.parse(await readFile(path, 'utf8')) as object;
  for (const earlier of [
    { ...held, started: '1' },
    { ...held, host: 'elsewhere' },
  ]) {
    await writeFile(path, JSON.stringify(earlier));
    await (await holdDirectory(directory, 'train'))();
  }
  await writeFile(path, '{"ho');
  await (await holdDirectory(directory, 'train'))();
  await release();
});
