import { beforeEach, expect, it } from 'vitest';
import { natsOfTests } from '../../test/support/nats-of-tests.ts';
import { type DeadLetterBox, openDeadLetterBox } from './dead-letter-box.ts';
import { openRunStreams, type RunStreams } from './run-streams.ts';

const { signal } = new AbortController();
const nats = natsOfTests();
let runs = 0;
let run: string;
let streams: RunStreams;
let box: DeadLetterBox;

beforeEach(async () => {
  run = `letters-${process.pid}-${runs++}`;
  streams = openRunStreams(nats.connection, run);
  await streams.ensure({ maxDocuments: 4, maxDistributions: 1 });
  box = openDeadLetterBox(nats.connection, run);
});

const putAside = (stream: 'documents' | 'distributions', position: number, length = 3) =>
  streams.storeDeadLetter(
    {
      stream,
      position,
      source: stream === 'documents' ? 'feeder' : 'orator',
      bytes: new Uint8Array(length).fill(position),
      reason: `reason ${position}`,
    },
    { signal },
  );

/** The first of a teacher's distributions that the stream has. */
async function firstOf(teacher: string): Promise<number[] | undefined> {
  for await (const { bytes } of streams.readDistributions(teacher, { signal })) return [...bytes];
  return undefined;
}

it('lists letters of any size and number, oldest first', async () => {
  expect(await box.list(signal)).toEqual([]);
  const before = Date.now();
  await putAside('documents', 7);
  await putAside('distributions', 9, 100_000);
  for (let position = 10; position < 310; position++) await putAside('distributions', position);
  const letters = await box.list(signal);
  expect(letters.map(({ number }) => number)).toEqual(Array.from({ length: 302 }, (_, i) => i + 1));
  expect(letters[0]).toMatchObject({
    source: 'feeder',
    stream: `fusemesh_${run}_documents`,
    position: 7,
    reason: 'reason 7',
    bytes: 3,
  });
  expect(letters[1]).toMatchObject({ source: 'orator', position: 9, bytes: 100_000 });
  expect(letters[0].time.getTime()).toBeGreaterThanOrEqual(before - 1);
  expect(letters[0].time.getTime()).toBeLessThanOrEqual(Date.now());
});

it('publishes a letter again where it came from, and only then removes it', async () => {
  await putAside('distributions', 5);
  await box.replay(1, signal);
  expect(await firstOf('orator')).toEqual([5, 5, 5]);
  expect(await box.list(signal)).toEqual([]);
  await expect(box.replay(1, signal)).rejects.toMatchObject({ code: 'not_found' });
});

it('keeps a letter for which the stream has no room', async () => {
  for (const document of [0, 1])
    await streams.publishDistribution('orator', document, Uint8Array.of(1), { signal });
  await putAside('distributions', 5);
  const before = performance.now();
  await expect(box.replay(1, signal)).rejects.toMatchObject({
    code: 'resource_exhausted',
    message: expect.stringContaining('try again'),
  });
  expect(performance.now() - before).toBeLessThan(20_000);
  expect(await box.list(signal)).toHaveLength(1);
});

it('replays no document, which would take the place of another', async () => {
  await putAside('documents', 5);
  await expect(box.replay(1, signal)).rejects.toMatchObject({ code: 'failed_precondition' });
  expect(await box.list(signal)).toHaveLength(1);
});

it('removes letters, and knows those that are not there', async () => {
  await putAside('documents', 5);
  await putAside('documents', 6);
  await box.remove(1);
  expect((await box.list(signal)).map(({ number }) => number)).toEqual([2]);
  await expect(box.remove(1)).rejects.toMatchObject({
    code: 'not_found',
    message: expect.stringContaining(run),
  });
});

it('has none where there is no run', async () => {
  const none = openDeadLetterBox(nats.connection, `${run}-none`);
  expect(await none.list(signal)).toEqual([]);
  await expect(none.remove(1)).rejects.toMatchObject({ code: 'not_found' });
});
