import { afterAll, beforeAll, expect, it } from 'vitest';
import { startNatsServer, type TestNatsServer } from '../../test/support/nats-server.ts';
import { connectNats, type NatsConnection } from '../nats/connection.ts';
import { registerService } from '../nats/services.ts';
import { findTeachers, findTrainers } from './find.ts';
import { describeTeacher, type TeacherListing } from './teacher-listing.ts';
import { describeTrainer } from './trainer-listing.ts';

const run = `find-${process.pid}`;
let server: TestNatsServer;
let connection: NatsConnection;

beforeAll(async () => {
  server = await startNatsServer();
  connection = await connectNats(server.url, 'test');
});
afterAll(async () => {
  await connection?.close();
  await server?.stop();
});

const listing: TeacherListing = {
  ...{ teacher: 'orator', run, instance: 'one', family: 'llama', parameters: 1_234_567 },
  ...{ vocabularySize: 2000, contextLength: 512, tokenizerFingerprint: 'ab', modelFingerprint: 'cd' },
  ...{ address: '127.0.0.1:5001', metricsAddress: '127.0.0.1:9001' },
};
const work = {
  ...{ run, teacher: 'orator', documentsScored: 3, documentsInHand: 2 },
  ...{ tokensPerSecond: 1.5, waitingForRoom: false },
};

it('finds teachers and trainers as they told of themselves, in order, and nothing else', async () => {
  expect(connection.ownHost).toMatch(/^[\d.]+$|:/);
  const second = { ...listing, instance: 'two', address: '127.0.0.1:5002' };
  const trainer = { run, address: '127.0.0.1:5000', metricsAddress: '127.0.0.1:9000' };
  const progress = { state: 'training', step: 4, stepsTotal: 9, tokensPerSecond: 10 };
  const registered = await Promise.all([
    registerService(
      connection,
      describeTeacher(second, () => []),
    ),
    registerService(
      connection,
      describeTeacher(listing, () => [work]),
    ),
    registerService(connection, { ...describeTeacher(listing, () => []), metadata: { run } }),
    registerService(
      connection,
      describeTrainer(trainer, () => progress),
    ),
  ]);
  const ours = (await findTeachers(connection)).filter((one) => one.run === run);
  expect(ours).toEqual([
    { ...listing, version: expect.any(String), work: [work] },
    { ...second, version: expect.any(String), work: [] },
  ]);
  expect((await findTrainers(connection)).filter((one) => one.run === run)).toEqual([
    { ...trainer, ...progress, version: expect.any(String) },
  ]);
  await Promise.all(registered.map((one) => one.stop()));
});
