import { afterAll, beforeAll, expect, it } from 'vitest';
import { startNatsServer, type TestNatsServer } from '../../test/support/nats-server.ts';
import { connectNats, type NatsConnection } from './connection.ts';
import { openRunStreams, type RunStreams } from './run-streams.ts';

const run = `dead-letters-${process.pid}`;
const signal = new AbortController().signal;
let server: TestNatsServer;
let connection: NatsConnection;
let streams: RunStreams;

beforeAll(async () => {
  server = await startNatsServer();
  connection = await connectNats(server.url, 'test');
  streams = openRunStreams(connection, run);
  await streams.ensure({ maxDocuments: 4, maxDistributions: 4 });
});
afterAll(async () => {
  await streams?.remove();
  await connection?.close();
  await server?.stop();
});

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
  await openRunStreams(connection, run).storeDeadLetter(letter, { signal });
  await streams.storeDeadLetter({ ...letter, position: 8 }, { signal });
  // The stream of distributions was lost and filled anew: another message at the same place.
  await streams.storeDeadLetter({ ...letter, bytes: Uint8Array.of(3) }, { signal });

  const stream = `fusemesh_${run}_dead_letters`;
  expect((await connection.manager.streams.info(stream)).state.messages).toBe(3);
  const { data, header, subject } = await connection.manager.streams.getMessage(stream, { seq: 1 });
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
  const { config } = await connection.manager.streams.info(`fusemesh_${run}_dead_letters`);
  expect(config).toMatchObject({ discard: 'old', retention: 'limits', max_msgs: 10_000 });
});

it('says so where the run is gone', async () => {
  const gone = openRunStreams(connection, `${run}-gone`);
  const stream = 'distributions' as const;
  const letter = { stream, source: 'orator', position: 1, bytes: Uint8Array.of(1), reason: 'none' };
  await expect(gone.storeDeadLetter(letter, { signal })).rejects.toMatchObject({ code: 'not_found' });
});
