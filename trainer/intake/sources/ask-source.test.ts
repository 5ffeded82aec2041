import { fromBinary } from '@bufbuild/protobuf';
import { afterEach, expect, it } from 'vitest';
import { createLog } from '../../../process/log/log.ts';
import { openSecurity } from '../../../process/security/service-security.ts';
import { smallDistribution, smallFingerprint } from '../../../test/support/small-distribution.ts';
import { TextDistributionSchema } from '../../../wire/generated/fusemesh/v1/distribution_pb.ts';
import { TeacherService } from '../../../wire/generated/fusemesh/v1/teacher_pb.ts';
import { type Implementation, implement } from '../../../wire/grpc/implementation.ts';
import { type GrpcServer, serve } from '../../../wire/grpc/serve.ts';
import { askSource } from './ask-source.ts';
import { type Replica, replicaAt, Source } from './source.ts';

const log = createLog('test', { level: 'silent' });
const servers: GrpcServer[] = [];
const timers: NodeJS.Timeout[] = [];
afterEach(async () => {
  for (const timer of timers.splice(0)) clearInterval(timer);
  await Promise.all(servers.splice(0).map((server) => server.stop()));
});

/** A process that is attached and answers after so many milliseconds. */
async function replica(instance: string, answersAfter: number): Promise<Replica> {
  const service = implement(TeacherService, {
    async score(_request, { signal }) {
      await new Promise((resolve) => {
        setTimeout(resolve, answersAfter).unref();
        signal.addEventListener('abort', resolve);
      });
      return { distribution: fromBinary(TextDistributionSchema, smallDistribution({})) };
    },
  } as Partial<Implementation<typeof TeacherService>> as Implementation<typeof TeacherService>);
  const server = await serve({ address: '127.0.0.1:0', services: [service], log });
  servers.push(server);
  return Object.assign(replicaAt(server.address, instance), { attached: true });
}

function sourceOf(named: Replica, ...found: Replica[]): Source {
  const source = new Source('orator', named.address, openSecurity);
  Object.assign(source.named, named);
  for (const other of found) source.found.add(other);
  return source;
}
const speaks = (one: Replica) => timers.push(setInterval(() => one.words++, 500));
const document = { number: 0, text: 'abcdef', turns: [], tools: '' };
const question = {
  topK: 1,
  topP: 0.98,
  fingerprint: smallFingerprint,
  check: () => {},
  signal: new AbortController().signal,
};

it('leaves a process that hangs after seconds, and asks the next', async () => {
  const source = sourceOf(await replica('1', 300_000), await replica('2', 0));
  const began = performance.now();
  await expect(askSource(source, document, question)).resolves.toMatchObject({ document: 0 });
  expect(performance.now() - began).toBeLessThan(15_000);
});

it('gives one that is slow its time as long as it speaks', async () => {
  const source = sourceOf(await replica('1', 7_000));
  speaks(source.named);
  await expect(askSource(source, document, question)).resolves.toMatchObject({ document: 0 });
});

it('says who hangs where there is no other', async () => {
  const source = sourceOf(await replica('1', 300_000));
  await expect(askSource(source, document, question)).rejects.toMatchObject({
    code: 'unavailable',
    message: expect.stringContaining(`${source.named.address} hangs`),
  });
});
