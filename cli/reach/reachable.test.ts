import { spawnSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type RunConfig, runConfigSchema } from '../../process/config/schema.ts';
import { keepProcesses, processesFile } from './processes-file.ts';
import { places, trainerAddress } from './reachable.ts';

let output: string;
beforeAll(async () => {
  output = await mkdtemp(join(tmpdir(), 'fusemesh-reachable-'));
});
afterAll(() => rm(output, { recursive: true, force: true }));

const config = (trainer: object, teacher: object): RunConfig =>
  runConfigSchema.parse({
    run: 'demo',
    contextLength: 16,
    corpus: [{ domain: 'speeches', path: 'x.txt' }],
    teachers: [{ name: 'orator', ...teacher }],
    target: { model: 'm', source: { address: '127.0.0.1:0' } },
    trainer: { output, ...trainer },
  });
const open = () => config({ address: '127.0.0.1:0', metricsPort: 0 }, { address: '127.0.0.1:0' });

test('takes fixed ports from the run file, and others from those that `up` started', () => {
  const fixed = config({ address: '0.0.0.0:50050' }, { address: 'orator.example:50051', metricsPort: 9465 });
  expect(places(fixed, { state: 'none' })).toEqual([
    { name: 'orator', kind: 'teacher', grpc: 'orator.example:50051', metrics: 'orator.example:9465' },
    { name: 'target', kind: 'teacher', grpc: undefined, metrics: undefined },
    { name: 'trainer', kind: 'trainer', grpc: '127.0.0.1:50050', metrics: '127.0.0.1:9464' },
  ]);
  const processes = [
    { name: 'orator', kind: 'teacher' as const, grpc: '127.0.0.1:1', metricsPort: 2, pid: 3 },
    { name: 'target', kind: 'teacher' as const, grpc: '127.0.0.1:4', metricsPort: 5, pid: 6 },
  ];
  expect(places(open(), { state: 'running', processes })).toEqual([
    { name: 'orator', kind: 'teacher', grpc: '127.0.0.1:1', metrics: '127.0.0.1:2' },
    { name: 'target', kind: 'teacher', grpc: '127.0.0.1:4', metrics: '127.0.0.1:5' },
    { name: 'trainer', kind: 'trainer', grpc: undefined, metrics: undefined },
  ]);
});

test('says in one line why nobody knows where the trainer is', async () => {
  await expect(trainerAddress(open())).rejects.toMatchObject({
    code: 'failed_precondition',
    message:
      `run demo: the trainer's port is 0 and ${output}/processes.json is not there: is \`fusemesh up\` ` +
      'running? Otherwise set trainer.address to a fixed port',
  });
  const { pid } = spawnSync(process.execPath, ['--eval', '']);
  await writeFile(processesFile(output), JSON.stringify({ pid, processes: [] }));
  await expect(trainerAddress(open())).rejects.toMatchObject({
    code: 'failed_precondition',
    message: expect.stringContaining(`is of a \`fusemesh up\` that is gone (process ${pid})`),
  });
});

test('a trainer that is yet to be started is unavailable, and found when it is there', async () => {
  const kept = await keepProcesses(output);
  await expect(trainerAddress(open())).rejects.toMatchObject({ code: 'unavailable' });
  await kept.add({ name: 'trainer', kind: 'trainer', grpc: '127.0.0.1:7', metricsPort: 8, pid: 9 });
  expect(await trainerAddress(open())).toBe('127.0.0.1:7');
  await kept.end();
});
