import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { keepProgram } from './kept-program.ts';

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'fusemesh-kept-program-'));
});
afterAll(() => rm(directory, { recursive: true, force: true }));

it('keeps what a program writes, and tells how it ended', async () => {
  const log = join(directory, 'with space.log');
  const kept = await keepProgram('/bin/sh', ['-c', 'echo "$1"; echo two >&2; exit 3', 'sh', 'one  $HOME'], {
    log,
  });
  expect(await kept.ended).toBe(3);
  expect(kept.exitCode()).toBe(3);
  expect(await readFile(log, 'utf8')).toBe('one  $HOME\ntwo\n');
  await kept.stop();
});

it('ends a program that runs on, and returns when it is gone', async () => {
  const kept = await keepProgram('/bin/sleep', ['600']);
  expect(kept.exitCode()).toBeUndefined();
  await kept.stop();
  expect(() => process.kill(kept.pid, 0)).toThrow('ESRCH');
});
