import { expect, it } from 'vitest';
import { natsOfTests } from '../../test/support/nats-of-tests.ts';
import { registerService } from '../nats/services.ts';
import { findTeachers, findTrainers } from './find.ts';
import { describeTeacher, type TeacherListing } from './teacher-listing.ts';
import { describeTrainer } from './trainer-listing.ts';

const run = `find-${process.pid}`;
const nats = natsOfTests();

const listing: TeacherListing = {
  teacher: 'orator',
  run,
  instance: 'one',
  family: 'llama',
  parameters: 1_234_567,
  vocabularySize: 2000,
  contextLength: 512,
  tokenizerFingerprint: 'ab',
  modelFingerprint: 'cd',
  address: '127.0.0.1:5001',
  metricsAddress: '127.0.0.1:9001',
};
const work = {
  run,
  teacher: 'orator',
  documentsScored: 3,
  documentsInHand: 2,
  tokensPerSecond: 1.5,
  waitingForRoom: false,
};

it('finds teachers and trainers as they told of themselves, in order, and nothing else', async () => {
  expect(nats.connection.ownHost).toMatch(/^[\d.]+$|:/);
  const second = { ...listing, instance: 'two', address: '127.0.0.1:5002' };
  const trainer = { run, address: '127.0.0.1:5000', metricsAddress: '127.0.0.1:9000' };
  const progress = { state: 'training', step: 4, stepsTotal: 9, tokensPerSecond: 10 };
  const registered = await Promise.all([
    registerService(
      nats.connection,
      describeTeacher(second, () => []),
    ),
    registerService(
      nats.connection,
      describeTeacher(listing, () => [work]),
    ),
    registerService(nats.connection, { ...describeTeacher(listing, () => []), metadata: { run } }),
    registerService(
      nats.connection,
      describeTrainer(trainer, () => progress),
    ),
  ]);
  const ours = (await findTeachers(nats.connection)).filter((one) => one.run === run);
  expect(ours).toEqual([
    { ...listing, version: expect.any(String), work: [work] },
    { ...second, version: expect.any(String), work: [] },
  ]);
  expect((await findTrainers(nats.connection)).filter((one) => one.run === run)).toEqual([
    { ...trainer, ...progress, version: expect.any(String) },
  ]);
  await Promise.all(registered.map((one) => one.stop()));
});
