import { afterEach, expect, it } from 'vitest';
import { FuseMeshError } from '../../errors/fusemesh-error.ts';
import { createLog } from '../../process/log/log.ts';
import { TrainerService } from '../generated/fusemesh/v1/trainer_pb.ts';
import { createClient } from './client.ts';
import { implement } from './implementation.ts';
import type { HandledCall } from './observe-calls.ts';
import { type GrpcServer, serve } from './serve.ts';

const log = createLog('test', { level: 'silent' });
let server: GrpcServer;
afterEach(() => server.stop());

async function start() {
  const handled: HandledCall[] = [];
  const service = implement(TrainerService, {
    getStatus: async () => ({ run: 'first' }),
    async *watchSteps(_request, { signal }) {
      for (let i = 0n; !signal.aborted; i++) {
        yield { stepsTotal: i };
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
    },
    getHistory: async () => {
      throw new Error('unforeseen');
    },
    getAlignment: async () => {
      throw new FuseMeshError('not_found', 'no document yet');
    },
    pause: async () => ({}),
    resume: () => new Promise(() => {}),
    checkpoint: async () => ({}),
  });
  server = await serve({
    address: '127.0.0.1:0',
    services: [service],
    log,
    onHandled: (call) => handled.push(call),
  });
  return { handled, client: createClient(TrainerService, server.address) };
}

it('tells of every call once: method, status, time', async () => {
  const { handled, client } = await start();
  await client.getStatus({});
  await client.getAlignment({}).catch(() => {});
  await client.getHistory({}).catch(() => {});
  await client.resume({}, { timeoutMs: 100 }).catch(() => {});
  for await (const { stepsTotal } of client.watchSteps({})) if (stepsTotal === 3n) break;
  await expect.poll(() => handled.length).toBe(5);
  client.close();
  await new Promise((resolve) => setTimeout(resolve, 100));

  expect(handled.map(({ service, method, code }) => [service, method, code])).toEqual([
    ['fusemesh.v1.TrainerService', 'GetStatus', 'OK'],
    ['fusemesh.v1.TrainerService', 'GetAlignment', 'NOT_FOUND'],
    ['fusemesh.v1.TrainerService', 'GetHistory', 'INTERNAL'],
    ['fusemesh.v1.TrainerService', 'Resume', expect.stringMatching(/DEADLINE_EXCEEDED|CANCELLED/)],
    ['fusemesh.v1.TrainerService', 'WatchSteps', 'CANCELLED'],
  ]);
  expect(handled[4].seconds).toBeGreaterThan(0.01);
  expect(Math.min(...handled.map(({ seconds }) => seconds))).toBeGreaterThan(0);
});
