import { Counter } from 'prom-client';
import { expect, it } from 'vitest';
import { Readiness } from '../lifecycle/readiness.ts';
import { createLog } from '../log/log.ts';
import { createRegister } from '../metrics/create-register.ts';
import { serveHttp } from './serve-http.ts';

const log = createLog('test', { level: 'silent' });

it('serves metrics and health over HTTP', async () => {
  const register = createRegister({ run: 'demo' });
  new Counter({ name: 'tokens_total', help: 'Tokens.', registers: [register] }).inc(3);
  const server = await serveHttp(register, { host: '127.0.0.1', port: 0, log });
  const get = async (path: string) => fetch(`http://127.0.0.1:${server.port}${path}`);
  const metrics = await (await get('/metrics')).text();
  expect(metrics).toContain('tokens_total{run="demo"} 3');
  expect(metrics).toContain('process_cpu_seconds_total');
  expect((await get('/healthz')).status).toBe(200);
  expect((await get('/readyz')).status).toBe(200);
  expect((await get('/')).status).toBe(404);
  await server.stop();
});

it('says what is not ready', async () => {
  const readiness = new Readiness();
  const server = await serveHttp(createRegister({}), { host: '127.0.0.1', port: 0, log, readiness });
  const get = async (path: string) => {
    const response = await fetch(`http://127.0.0.1:${server.port}${path}`);
    return { status: response.status, body: await response.json() };
  };
  readiness.lacks('nats', 'the connection is lost');
  const body = { ready: false, problems: { nats: 'the connection is lost' } };
  expect(await get('/readyz')).toEqual({ status: 503, body });
  expect(await get('/healthz')).toEqual({ status: 200, body });
  readiness.has('nats');
  expect(await get('/readyz')).toEqual({ status: 200, body: { ready: true, problems: {} } });
  await server.stop();
});

it('refuses a port in use', async () => {
  const register = createRegister({});
  const server = await serveHttp(register, { host: '127.0.0.1', port: 0, log });
  await expect(serveHttp(register, { host: '127.0.0.1', port: server.port, log })).rejects.toMatchObject({
    code: 'failed_precondition',
    message: expect.stringContaining(`Port ${server.port} for metrics is in use`),
  });
  await server.stop();
});
