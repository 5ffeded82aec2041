import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { childFailure } from './child-failure.ts';

let directory: string;
let logFile: string;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'fusemesh-child-failure-'));
  logFile = join(directory, 'trainer.log');
});
afterAll(() => rm(directory, { recursive: true, force: true }));

test('repeats what the process said last, with its exit code', async () => {
  await writeFile(logFile, '{"msg":"starts"}\nfusemesh: No model at x\n{"msg":"late"}\n');
  const failure = await childFailure('trainer', logFile, { code: 2, signal: null });
  expect(failure.message).toBe(`trainer: No model at x [log: ${logFile}]`);
  expect(failure.exitCode).toBe(2);
});

test('says how a process ended that said nothing', async () => {
  await writeFile(logFile, '{"msg":"starts"}\n');
  const killed = await childFailure('trainer', logFile, { code: null, signal: 'SIGKILL' });
  expect(killed.message).toContain('was killed (SIGKILL); run the same command again to resume');
  expect(killed.exitCode).toBe(1);
  const crashed = await childFailure('trainer', logFile, { code: 134, signal: null });
  expect(crashed.message).toContain('ended with exit code 134');
  const stopped = await childFailure('trainer', logFile, { code: 0, signal: null });
  expect(stopped.message).toContain('was stopped before the run was over');
  expect(stopped.exitCode).toBe(1);
});
