import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { loadRunConfig } from '../../process/config/load-config.ts';
import { runConfigSchema } from '../../process/config/schema.ts';
import { startOwnNats } from './own-nats.ts';

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
