import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { loadRunConfig } from '../../process/config/load-config.ts';
import { runConfigSchema } from '../../process/config/schema.ts';
import { needsOwnNats, startOwnNats } from './own-nats.ts';

let directory: string;
const file = async (text: string) => {
  const path = join(directory, 'run.yaml');
  await writeFile(path, text);
  return path;
};

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'fusemesh-own-nats-'));
});
afterAll(() => rm(directory, { recursive: true, force: true }));

test('starts a server of its own when nothing says where one is', async () => {
  expect(await needsOwnNats(await file('run: demo\n'), ['trainer.steps=2'], {})).toBe(true);
  expect(await needsOwnNats(await file('nats: { maxDocuments: 100 }\n'), [], { NATS_URL: '' })).toBe(true);
});

test('takes the server of the file, the environment or the command line', async () => {
  expect(await needsOwnNats(await file('nats: { url: "nats://mesh:4222" }\n'), [], {})).toBe(false);
  const path = await file('run: demo\n');
  expect(await needsOwnNats(path, [], { NATS_URL: 'nats://mesh:4222' })).toBe(false);
  expect(await needsOwnNats(path, [], { FUSEMESH_NATS__URL: 'nats://mesh:4222' })).toBe(false);
  expect(await needsOwnNats(path, ['nats.url=nats://mesh:4222'], {})).toBe(false);
});

test('tells other processes where the token of its server is, not what it is', async () => {
  const config = (nats: object) =>
    runConfigSchema.parse({
      run: 'demo',
      contextLength: 16,
      corpus: [{ domain: 'speeches', path: 'x.txt' }],
      nats,
      teachers: [{ name: 'orator', address: '127.0.0.1:0' }],
      target: { model: 'm' },
      trainer: { output: directory },
    });
  const { settings, overrides, stop } = await startOwnNats(config({ maxDocuments: 7 }), () => {});
  await stop();
  expect(settings).toMatchObject({ maxDocuments: 7, tokenFile: join(directory, 'nats', 'token') });
  const loaded = await loadRunConfig(await file(JSON.stringify(config({}))), { overrides, environment: {} });
  expect(loaded.nats).toMatchObject({ url: settings.url, tokenFile: settings.tokenFile });
  expect(overrides.join(' ')).not.toContain((await readFile(String(settings.tokenFile), 'utf8')).trim());
});
