import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { temporaryDirectory } from '../../test/support/temporary-directory.ts';
import { keepProcesses } from '../reach/processes-file.ts';
import { natsOfCommand, needsOwnNats } from './nats-of-command.ts';

const before = process.env['NATS_URL'];
const own = 'nats://127.0.0.1:4333';
let directory: string;

beforeEach(async () => {
  delete process.env['NATS_URL'];
  directory = await temporaryDirectory();
});
afterEach(() => {
  if (before === undefined) delete process.env['NATS_URL'];
  else process.env['NATS_URL'] = before;
});

async function write(text: string): Promise<string> {
  const path = join(directory, 'run.yaml');
  await writeFile(path, text);
  return path;
}

const runFile = (more = '') =>
  write(`run: demo
contextLength: 64
corpus: [{ domain: text, path: text.txt }]
teachers: [{ name: orator, address: '127.0.0.1:0' }]
target: { model: target }
trainer: { output: output }
${more}`);

const url = async (...parameters: Parameters<typeof natsOfCommand>) =>
  (await natsOfCommand(...parameters)).where.nats.url;

test('takes what the command line names before the run file, and that before the environment', async () => {
  const path = await runFile('nats: { url: nats://file:4222 }');
  expect(await url(path, { nats: 'nats://flag:4222' })).toBe('nats://flag:4222');
  expect(await natsOfCommand(path, {})).toMatchObject({
    where: { nats: { url: 'nats://file:4222' } },
    config: { run: 'demo' },
  });
  await expect(url(undefined, {})).rejects.toMatchObject({ code: 'invalid_argument' });
  process.env['NATS_URL'] = 'nats://environment:4222';
  expect(await url(undefined, {})).toBe('nats://environment:4222');
  // As everywhere, the environment changes what the file says.
  expect(await url(path, {})).toBe('nats://environment:4222');
});

test('finds the server that `fusemesh up` has started for a run, unless another is named', async () => {
  const path = await runFile();
  expect(await url(path, {})).toBe('nats://127.0.0.1:4222');
  const kept = await keepProcesses(join(directory, 'output'), { url: own });
  expect(await url(path, {})).toBe(own);
  expect(await url(path, { set: ['nats.url=nats://set:4222'] })).toBe('nats://set:4222');
  await kept.end();
  expect(await url(path, {})).toBe('nats://127.0.0.1:4222');
});

test('`up` starts a server of its own when nothing says where one is', async () => {
  expect(await needsOwnNats(await write('run: demo\n'), ['trainer.steps=2'], {})).toBe(true);
  expect(await needsOwnNats(await write('nats: { maxDocuments: 100 }\n'), [], { NATS_URL: '' })).toBe(true);
});

test('`up` takes the server of the file, the environment or the command line', async () => {
  expect(await needsOwnNats(await write('nats: { url: "nats://mesh:4222" }\n'), [], {})).toBe(false);
  const path = await write('run: demo\n');
  expect(await needsOwnNats(path, [], { NATS_URL: 'nats://mesh:4222' })).toBe(false);
  expect(await needsOwnNats(path, [], { FUSEMESH_NATS__URL: 'nats://mesh:4222' })).toBe(false);
  expect(await needsOwnNats(path, ['nats.url=nats://mesh:4222'], {})).toBe(false);
});
