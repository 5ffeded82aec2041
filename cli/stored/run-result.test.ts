import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type RunConfig, runConfigSchema } from '../../process/config/schema.ts';
import { readAnyResult, readStoredResult, removeOutput, storeResult } from './run-result.ts';

let output: string;
const result = { domains: [], tokens: 1200, seconds: 3.5, model: 'out/model' };

const config = (trainer: Partial<RunConfig['trainer']> = {}): RunConfig =>
  runConfigSchema.parse({
    run: 'demo',
    contextLength: 64,
    corpus: [{ domain: 'fiction', path: 'fiction.txt' }],
    teachers: [{ name: 'novelist', address: '127.0.0.1:0', model: 'novelist' }],
    target: { model: 'target' },
    trainer: { output, ...trainer },
  });

beforeEach(async () => {
  output = await mkdtemp(join(tmpdir(), 'fusemesh-stored-result-'));
});
afterEach(() => rm(output, { recursive: true, force: true }));

test('gives back the result of the same run, wherever its processes listen', async () => {
  expect(await readStoredResult(config())).toBeUndefined();
  await storeResult(config(), result);
  expect(await readStoredResult(config({ address: '127.0.0.1:7000', threads: 8 }))).toEqual(result);
});

test('does not depend on how its processes are protected', async () => {
  await storeResult(config(), result);
  const secured = {
    ...config(),
    security: { insecure: true, tokenFile: '/secrets/token', tls: { clientCertificates: true } },
    nats: { ...config().nats, url: 'nats://mesh:s3cret@127.0.0.1:4222', tokenFile: '/secrets/nats' },
  };
  expect(await readStoredResult(secured)).toEqual(result);
  await storeResult(secured, result);
  expect(await readFile(join(output, 'result.json'), 'utf8')).not.toContain('secret');
});

test('refuses a finished run with other settings', async () => {
  await storeResult(config(), result);
  await expect(readStoredResult(config({ lambda: 0.5 }))).rejects.toMatchObject({
    code: 'already_exists',
    message: expect.stringContaining('--fresh'),
  });
  expect(await readAnyResult(config({ lambda: 0.5 }))).toEqual(result);
});

test('removes what a run wrote, and nothing of others', async () => {
  await storeResult(config(), result);
  await mkdir(join(output, 'checkpoints', 'step-000001'), { recursive: true });
  await writeFile(join(output, 'history.jsonl'), '');
  await writeFile(join(output, 'notes.txt'), 'mine');
  await removeOutput(config());
  expect(await readdir(output)).toEqual(['notes.txt']);
});
