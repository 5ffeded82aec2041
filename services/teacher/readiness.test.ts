import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, expect, it } from 'vitest';
import { runConfigSchema } from '../../process/config/schema.ts';
import { createLog } from '../../process/log/log.ts';
import { askHealth } from '../../test/support/ask-health.ts';
import { freePort } from '../../test/support/free-port.ts';
import { TeacherService } from '../../wire/generated/fusemesh/v1/teacher_pb.ts';
import { createClient } from '../../wire/grpc/client.ts';
import { startLocalNatsServer } from '../../wire/nats/local-server.ts';
import { runTeacher, type TeacherAddresses } from './main.ts';

const zoo = fileURLToPath(new URL('../../examples/zoo/', import.meta.url));
const run = 'readiness';
const cleanups: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function startTeacher(natsUrl: string) {
  const metricsPort = await freePort();
  const config = runConfigSchema.parse({
    run,
    nats: { url: natsUrl },
    contextLength: 128,
    corpus: [{ domain: 'speeches', path: 'unused.txt' }],
    teachers: [{ name: 'orator', address: '127.0.0.1:0', model: `${zoo}orator`, metricsPort }],
    target: { model: `${zoo}target` },
    trainer: { output: 'unused' },
  });
  const stop = new AbortController();
  const log = createLog('teacher orator', { level: 'silent' });
  let served: Promise<void> = Promise.resolve();
  const ready = new Promise<TeacherAddresses>((resolve, reject) => {
    served = runTeacher(config, 'orator', { signal: stop.signal, log, onReady: resolve });
    served.catch(reject);
  });
  cleanups.push(async () => {
    stop.abort();
    await served;
  });
  const check = async (path: '/healthz' | '/readyz') => {
    const response = await fetch(`http://127.0.0.1:${metricsPort}${path}`).catch(() => undefined);
    if (response === undefined) return { status: 0, problems: {} };
    const { problems } = (await response.json()) as { problems: Record<string, string> };
    return { status: response.status, problems };
  };
  return { ready, check };
}

it('a teacher that loads its model lives and is not ready', async () => {
  const { ready, check } = await startTeacher('nats://127.0.0.1:1');
  await expect
    .poll(() => check('/readyz'), { interval: 2, timeout: 20_000 })
    .toEqual({
      status: 503,
      problems: { model: 'it is being loaded' },
    });
  expect((await check('/healthz')).status).toBe(200);
  const { grpc } = await ready;
  expect(await check('/readyz')).toEqual({ status: 200, problems: {} });
  expect(await askHealth(grpc)).toBe('SERVING');
});

it('a teacher without a run is ready without NATS; one with a run only while NATS is there', async () => {
  const storeDirectory = await mkdtemp(join(tmpdir(), 'fusemesh-readiness-'));
  cleanups.push(() => rm(storeDirectory, { recursive: true, force: true }));
  let nats = await startLocalNatsServer({ storeDirectory });
  cleanups.push(() => nats.stop());
  const { url } = nats;
  const restart = async () => {
    nats = await startLocalNatsServer({ storeDirectory, port: Number(new URL(url).port) });
  };
  const { ready, check } = await startTeacher(url);
  const { grpc } = await ready;
  const client = createClient(TeacherService, grpc);
  cleanups.push(async () => client.close());
  const truth = async () => ({
    http: await check('/readyz'),
    server: await askHealth(grpc),
    service: await askHealth(grpc, TeacherService.typeName),
  });
  const isReady = { http: { status: 200, problems: {} }, server: 'SERVING', service: 'SERVING' };
  const lost = { nats: 'the connection to NATS is lost' };
  const isNot = { http: { status: 503, problems: lost }, server: 'NOT_SERVING', service: 'NOT_SERVING' };

  await client.attachRun({ run, teacher: 'orator', topK: 2 });
  expect(await truth()).toEqual(isReady);
  process.kill(nats.pid, 'SIGKILL');
  await expect.poll(truth, { timeout: 10_000 }).toEqual(isNot);
  expect((await check('/healthz')).status).toBe(200);
  await restart();
  await expect.poll(truth, { timeout: 20_000 }).toEqual(isReady);

  process.kill(nats.pid, 'SIGKILL');
  await expect.poll(truth, { timeout: 10_000 }).toEqual(isNot);
  await client.detachRun({ run });
  expect(await truth()).toEqual(isReady);
  await restart();
});
