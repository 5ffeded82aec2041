import { mkdtemp } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { startSecuredNats } from '../../test/support/secured-nats-server.ts';
import { temporaryDirectory } from '../../test/support/temporary-directory.ts';
import { connectNats, type NatsConnection } from './connection.ts';
import { openRunStreams } from './run-streams.ts';

const stops: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop();
});

async function connected(...lines: string[]): Promise<NatsConnection> {
  const server = await startSecuredNats(await mkdtemp(join(await temporaryDirectory(), 'nats-')), lines);
  const connection = await connectNats(`nats://127.0.0.1:${server.port}`, 'test');
  stops.push(server.stop, connection.close);
  return connection;
}
const limits = { maxDocuments: 10, maxDistributions: 10 };
const accountOf = (limit: string) => [
  `accounts { A { jetstream { ${limit} }, users: [{ user: a, password: a }] } }`,
  'no_auth_user: a',
];

it.each([
  ['max_file: 64MB, max_mem: 1MB', 'max_file_store in the jetstream block'],
  ['max_file: 1GB, max_mem: 1MB, max_streams: 1', "the account's max_streams"],
])('a limit that is too low is named: %s', async (limit, named) => {
  const ensured = openRunStreams(await connected(...accountOf(limit)), 'limited').ensure(limits);
  await expect(ensured).rejects.toThrow(named);
  await expect(ensured).rejects.toThrow('each run reserves 128 MiB');
});

it('replicas that no cluster holds are refused with what to do', async () => {
  const ensured = openRunStreams(await connected(), 'alone').ensure({ ...limits, replicas: 3 });
  await expect(ensured).rejects.toThrow('nats.replicas needs a cluster of as many servers');
});
