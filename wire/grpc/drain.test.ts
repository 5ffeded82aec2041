import { afterEach, expect, it } from 'vitest';
import { createLog } from '../../process/log/log.ts';
import { TrainerService } from '../generated/fusemesh/v1/trainer_pb.ts';
import { createClient } from './client.ts';
import { implement } from './implementation.ts';
import { drainWithin, type GrpcServer, serve } from './serve.ts';

const log = createLog('test', { level: 'silent' });
let server: GrpcServer;
afterEach(() => server.stop());

const never = <T>() => new Promise<T>(() => {});

/** A trainer whose calls end when they are told to, or never. */
async function start() {
  const begun: string[] = [];
  const aborted: string[] = [];
  let finish = () => {};
  const service = implement(TrainerService, {
    getStatus: async () => ({}),
    checkpoint: () => {
      begun.push('checkpoint');
      return new Promise((resolve) => {
        finish = () => resolve({ directory: 'written' });
      });
    },
    pause: (_request, { signal }) => {
      begun.push('pause');
      signal.addEventListener('abort', () => aborted.push('pause'));
      return never();
    },
    async *watchSteps(_request, { signal }) {
      begun.push('watchSteps');
      signal.addEventListener('abort', () => aborted.push('watchSteps'));
      yield {};
      await never();
    },
    resume: async () => ({}),
    getHistory: async () => ({}),
    getAlignment: async () => ({}),
  });
  server = await serve({ address: '127.0.0.1:0', services: [service], log });
  const client = createClient(TrainerService, server.address);
  return { begun, aborted, client, finish: () => finish() };
}

it('finishes the calls in hand and takes no others', async () => {
  const { begun, client, finish } = await start();
  const inHand = client.checkpoint({});
  await expect.poll(() => begun, { timeout: 10_000 }).toEqual(['checkpoint']);
  const stopped = server.stop();
  await expect(client.getStatus({}, { timeoutMs: 3_000 })).rejects.toMatchObject({ code: 'unavailable' });
  finish();
  expect(await inHand).toMatchObject({ directory: 'written' });
  await stopped;
  client.close();
});

it('answers what is not done in time with UNAVAILABLE, and stops its work', async () => {
  const { begun, aborted, client } = await start();
  const failure = async (call: Promise<unknown>) => {
    try {
      await call;
      return undefined;
    } catch (error) {
      return error as Error;
    }
  };
  const pause = failure(client.pause({}));
  const stream = failure(
    (async () => {
      for await (const _ of client.watchSteps({}));
    })(),
  );
  await expect.poll(() => begun, { timeout: 10_000 }).toHaveLength(2);
  const began = performance.now();
  await server.stop();
  const took = performance.now() - began;
  expect(took).toBeGreaterThan(drainWithin - 100);
  expect(took).toBeLessThan(drainWithin + 5_000);
  expect(aborted.sort()).toEqual(['pause', 'watchSteps']);
  const left = { code: 'unavailable', message: 'The server left before the call was done: call again.' };
  expect(await stream).toMatchObject(left);
  // Pausing is idempotent: it was called again, and nobody was there.
  expect(await pause).toMatchObject({ code: 'unavailable' });
  client.close();
});
