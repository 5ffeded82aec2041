import { spawnSync } from 'node:child_process';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { claimDirectory } from './claims.ts';

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'fusemesh-claim-'));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

test('has one holder at a time', async () => {
  const giveBack = await claimDirectory(directory);
  await expect(claimDirectory(directory)).rejects.toMatchObject({
    code: 'failed_precondition',
    message: expect.stringContaining(`in use by another \`fusemesh observe\` (process ${process.pid})`),
  });
  await giveBack();
  expect(await readdir(directory)).toEqual([]);
});

test('is taken over from a holder that was killed', async () => {
  const { pid } = spawnSync(process.execPath, ['--eval', '']);
  await writeFile(join(directory, 'observe.pid'), `${pid}\n`);
  await (await claimDirectory(directory))();
});
