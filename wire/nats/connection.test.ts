import { expect, it } from 'vitest';
import { startSecuredNats } from '../../test/support/secured-nats-server.ts';
import { temporaryDirectory } from '../../test/support/temporary-directory.ts';
import { type ConnectionEvent, connectNats } from './connection.ts';
import { startLocalNatsServer } from './local-server.ts';
import { openRunStreams } from './run-streams.ts';

/** A server of its own even where NATS_URL names one: it goes away. */
const startServer = async () => startLocalNatsServer({ storeDirectory: await temporaryDirectory() });

it('closes even when the server is gone', async () => {
  const server = await startServer();
  const connection = await connectNats(server.url, 'test');
  await server.stop();
  const started = performance.now();
  await connection.close();
  expect(performance.now() - started).toBeLessThan(10_000);
  expect(connection.raw.isClosed()).toBe(true);
});

it('tells when it is lost and back, once each', async () => {
  const storeDirectory = await temporaryDirectory();
  const first = await startLocalNatsServer({ storeDirectory });
  const port = Number(new URL(first.url).port);
  const events: ConnectionEvent[] = [];
  const connection = await connectNats(first.url, 'test', { onEvent: (event) => events.push(event) });
  await first.stop();
  await expect.poll(() => events, { timeout: 10_000 }).toEqual(['connected', 'lost']);
  // Several attempts fail meanwhile.
  await new Promise((resolve) => setTimeout(resolve, 800));
  const second = await startLocalNatsServer({ storeDirectory, port });
  await expect.poll(() => events, { timeout: 10_000 }).toEqual(['connected', 'lost', 'back']);
  await connection.close();
  await expect.poll(() => events).toEqual(['connected', 'lost', 'back', 'closed']);
  await second.stop();
});

it('notices within 30 s that a server hangs, and closes while it does', async () => {
  const server = await startServer();
  const events: ConnectionEvent[] = [];
  const connection = await connectNats(server.url, 'test', { onEvent: (event) => events.push(event) });
  const other = await connectNats(server.url, 'test');
  process.kill(server.pid, 'SIGSTOP');
  try {
    const started = performance.now();
    await other.close();
    expect(performance.now() - started).toBeLessThan(10_000);
    await expect.poll(() => events, { timeout: 30_000 }).toEqual(['connected', 'lost']);
    await connection.close();
  } finally {
    process.kill(server.pid, 'SIGCONT');
    await server.stop();
  }
}, 60_000);

it('names the server that does not answer, and what to do', async () => {
  const server = await startServer();
  await server.stop();
  const withPassword = server.url.replace('//', '//user:secret@');
  const failure = await connectNats(withPassword, 'test').catch((error) => error);
  expect(failure).toMatchObject({
    code: 'unavailable',
    message: expect.stringMatching(/No NATS server answers at nats:.*start one with `nats-server -js`/),
  });
  expect(failure.message).not.toContain('secret');
});

it('uses the streams of a JetStream domain, and says where there is none of that name', async () => {
  const directory = await temporaryDirectory();
  const server = await startSecuredNats(directory, [
    `jetstream { store_dir: ${JSON.stringify(directory)}, domain: hub }`,
  ]);
  const url = `nats://127.0.0.1:${server.port}`;
  const place = (domain: string) => ({ nats: { url, domain }, security: { insecure: false } });
  const connection = await connectNats(place('hub'), 'test');
  const streams = openRunStreams(connection, 'in-domain');
  await streams.ensure({ maxDocuments: 4, maxDistributions: 4 });
  const { signal } = new AbortController();
  await streams.publishDistribution('orator', 0, Uint8Array.of(7), { signal });
  for await (const { bytes } of streams.readDistributions('orator', { signal })) {
    expect([...bytes]).toEqual([7]);
    break;
  }
  await connection.close();
  await expect(connectNats(place('spoke'), 'test')).rejects.toMatchObject({
    code: 'failed_precondition',
    message: expect.stringContaining('no JetStream in the domain spoke: correct nats.domain'),
  });
  await server.stop();
});
