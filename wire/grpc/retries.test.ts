import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, expect, it } from 'vitest';
import { FuseMeshError } from '../../errors/fusemesh-error.ts';
import { createLog } from '../../process/log/log.ts';
import { TrainerService } from '../generated/fusemesh/v1/trainer_pb.ts';
import { serviceConfig } from './channel-options.ts';
import { createClient } from './client.ts';
import { implement } from './implementation.ts';
import { type GrpcServer, serve } from './serve.ts';

const log = createLog('test', { level: 'silent' });
let server: GrpcServer | undefined;
afterEach(() => server?.stop());

/** A trainer that counts calls; `fail` says what it answers. */
async function start(address = '127.0.0.1:0') {
  const calls: string[] = [];
  const answers = { fail: undefined as FuseMeshError | undefined };
  const answer = (method: string) => async () => {
    calls.push(method);
    if (answers.fail) throw answers.fail;
    return {};
  };
  const service = implement(TrainerService, {
    getStatus: answer('getStatus'),
    async *watchSteps() {
      await answer('watchSteps')();
      yield {};
    },
    getHistory: answer('getHistory'),
    getAlignment: answer('getAlignment'),
    pause: answer('pause'),
    resume: answer('resume'),
    checkpoint: answer('checkpoint'),
  });
  const started = await serve({ address, services: [service], log });
  server = started;
  return { calls, answers, address: started.address, stop: () => started.stop() };
}

it('has a policy for the unary methods alone that may be called twice', () => {
  const { methodConfig } = JSON.parse(serviceConfig(TrainerService));
  const names = methodConfig[0].name.map(({ method }: { method: string }) => method);
  expect(names).toEqual(['GetStatus', 'GetHistory', 'GetAlignment', 'Pause', 'Resume']);
});

it('calls again while a server is restarted', async () => {
  const { address, stop } = await start();
  const client = createClient(TrainerService, address);
  await client.getStatus({});
  await stop();
  const status = client.getStatus({});
  const checkpoint = client.checkpoint({}).catch((error) => error);
  await sleep(300);
  const { calls } = await start(address);
  await status;
  expect(await checkpoint).toMatchObject({ code: 'unavailable' });
  expect(calls).toEqual(['getStatus']);
  client.close();
});

it('calls four times at most, and for nothing but UNAVAILABLE', async () => {
  const { calls, answers, address } = await start();
  const client = createClient(TrainerService, address);
  const count = async (call: () => Promise<unknown>) => {
    calls.length = 0;
    await expect(call()).rejects.toMatchObject({ code: answers.fail?.code });
    return calls.length;
  };
  answers.fail = new FuseMeshError('unavailable', 'not now');
  expect(await count(() => client.getStatus({}))).toBe(4);
  expect(await count(() => client.checkpoint({}))).toBe(1);
  expect(await count(async () => client.watchSteps({})[Symbol.asyncIterator]().next())).toBe(1);
  answers.fail = new FuseMeshError('resource_exhausted', 'full');
  expect(await count(() => client.getStatus({}))).toBe(1);
  client.close();
});
