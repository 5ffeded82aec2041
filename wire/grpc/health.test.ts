import { afterEach, expect, it } from 'vitest';
import { Readiness } from '../../process/lifecycle/readiness.ts';
import { createLog } from '../../process/log/log.ts';
import { askHealth, watchHealth } from '../../test/support/ask-health.ts';
import { TrainerService } from '../generated/fusemesh/v1/trainer_pb.ts';
import { type Implementation, implement } from './implementation.ts';
import { type GrpcServer, serve } from './serve.ts';

const log = createLog('test', { level: 'silent' });
const nothing = {} as Implementation<typeof TrainerService>;
let server: GrpcServer;
afterEach(() => server.stop());

async function start() {
  const readiness = new Readiness();
  readiness.lacks('model', 'it is being loaded');
  const services = [implement(TrainerService, nothing)];
  server = await serve({ address: '127.0.0.1:0', services, log, readiness });
  return { readiness };
}

it('says of the server and of each service whether the process is ready', async () => {
  const { readiness } = await start();
  const ask = () => Promise.all(['', TrainerService.typeName].map((name) => askHealth(server.address, name)));
  expect(await ask()).toEqual(['NOT_SERVING', 'NOT_SERVING']);
  readiness.lacks('nats', 'the connection is lost');
  readiness.has('model');
  expect(await ask()).toEqual(['NOT_SERVING', 'NOT_SERVING']);
  readiness.has('nats');
  expect(await ask()).toEqual(['SERVING', 'SERVING']);
  await expect(askHealth(server.address, 'fusemesh.v1.Nobody')).rejects.toThrow(/NOT_FOUND/);
});

it('tells those who watch of every change, of the end as well, and then lets them go at once', async () => {
  const { readiness } = await start();
  const heard: string[] = [];
  const ended = watchHealth(server.address, (status) => heard.push(status));
  await expect.poll(() => heard, { timeout: 10_000 }).toEqual(['NOT_SERVING']);
  readiness.has('model');
  await expect.poll(() => heard, { timeout: 10_000 }).toEqual(['NOT_SERVING', 'SERVING']);
  const began = performance.now();
  await server.stop();
  readiness.lacks('model', 'x');
  readiness.has('model');
  expect(await ended).toBe('The server is stopping.');
  expect(heard).toEqual(['NOT_SERVING', 'SERVING', 'NOT_SERVING']);
  expect(performance.now() - began).toBeLessThan(5_000);
});
