import { spawnSync } from 'node:child_process';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { keepProcesses, processesFile, type RunningProcess, readProcesses } from './processes-file.ts';

let output: string;
beforeEach(async () => {
  output = join(await mkdtemp(join(tmpdir(), 'fusemesh-processes-')), 'output');
});
afterEach(() => rm(join(output, '..'), { recursive: true, force: true }));

const orator: RunningProcess = {
  name: 'orator',
  kind: 'teacher',
  grpc: '127.0.0.1:5001',
  metricsPort: 9001,
  pid: 1,
};
const trainer: RunningProcess = { ...orator, name: 'trainer', kind: 'trainer', grpc: '127.0.0.1:5000' };

test('tells of processes as they come and go, and leaves nothing', async () => {
  expect(await readProcesses(output)).toEqual({ state: 'none' });
  const kept = await keepProcesses(output);
  expect(await readProcesses(output)).toEqual({ state: 'running', processes: [] });
  await Promise.all([kept.add(orator), kept.add(trainer)]);
  expect(await readProcesses(output)).toEqual({ state: 'running', processes: [orator, trainer] });
  await kept.drop('trainer');
  expect(await readProcesses(output)).toEqual({ state: 'running', processes: [orator] });
  await kept.end();
  expect(await readdir(output)).toEqual([]);
});

test('tells of the NATS server that was started for the run', async () => {
  const kept = await keepProcesses(output, { url: 'nats://127.0.0.1:4333', tokenFile: 'token' });
  expect(await readProcesses(output)).toMatchObject({
    state: 'running',
    nats: { url: 'nats://127.0.0.1:4333', tokenFile: 'token' },
  });
  await kept.end();
});

test('recognises the file of a command that was killed', async () => {
  await keepProcesses(output);
  const { pid } = spawnSync(process.execPath, ['--eval', '']);
  await writeFile(processesFile(output), JSON.stringify({ pid, processes: [trainer] }));
  expect(await readProcesses(output)).toEqual({ state: 'gone', pid });
});

test('takes what it cannot read for none', async () => {
  await keepProcesses(output);
  for (const text of ['', '{"pid":', '{"pid":1}']) {
    await writeFile(processesFile(output), text);
    expect(await readProcesses(output)).toEqual({ state: 'none' });
  }
});
