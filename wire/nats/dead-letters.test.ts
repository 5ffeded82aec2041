import { afterAll, beforeAll, expect, it } from 'vitest';
import { natsOfTests } from '../../test/support/nats-of-tests.ts';
import { openRunStreams, type RunStreams } from './run-streams.ts';

const run = `dead-letters-${process.pid}`;
const nats = natsOfTests();
const signal = new AbortController().signal;
let streams: RunStreams;

beforeAll(async () => {
  streams = openRunStreams(nats.connection, run);
  await streams.ensure({ maxDocuments: 4, maxDistributions: 4 });
});
afterAll(() => streams?.remove());

it('keeps a message with where it came from and why it is there, once however often it is stored', async () => {
  const bytes = Uint8Array.of(255, 1, 0, 13, 10);
  const letter = {
    stream: 'distributions' as const,
    source: 'orator',
    position: 7,
    bytes,
    reason: 'no distribution:\r\n  unexpected  end – é',
  };
  await streams.storeDeadLetter(letter, { signal });
  await openRunStreams(nats.connection, run).storeDeadLetter(letter, { signal });
  await streams.storeDeadLetter({ ...letter, position: 8 }, { signal });
  // The stream of distributions was lost and filled anew: another message at the same place.
  await streams.storeDeadLetter({ ...letter, bytes: Uint8Array.of(3) }, { signal });

  const stream = `fusemesh_${run}_dead_letters`;
  expect((await nats.connection.manager.streams.info(stream)).state.messages).toBe(3);
  const { data, header, subject } = await nats.connection.manager.streams.getMessage(stream, { seq: 1 });
  expect(data).toEqual(bytes);
  expect(subject).toBe(`fusemesh.${run}.dead-letters.orator`);
  const told = ['Fusemesh-Reason', 'Fusemesh-Source', 'Fusemesh-Stream', 'Fusemesh-Position'];
  expect(told.map((name) => header.get(name))).toEqual([
    'no distribution: unexpected end – é',
    'orator',
    `fusemesh_${run}_distributions`,
    '7',
  ]);
});

it('lets the oldest go rather than refuse a new one', async () => {
  const { config } = await nats.connection.manager.streams.info(`fusemesh_${run}_dead_letters`);
  expect(config).toMatchObject({ discard: 'old', retention: 'limits', max_msgs: 10_000 });
});

it('says so where the run is gone', async () => {
  const gone = openRunStreams(nats.connection, `${run}-gone`);
  const stream = 'distributions' as const;
  const letter = { stream, source: 'orator', position: 1, bytes: Uint8Array.of(1), reason: 'none' };
  await expect(gone.storeDeadLetter(letter, { signal })).rejects.toMatchObject({ code: 'not_found' });
});
