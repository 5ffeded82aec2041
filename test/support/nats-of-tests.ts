import { afterAll, beforeAll } from 'vitest';
import { connectNats, type NatsConnection } from '../../wire/nats/connection.ts';
import { startNatsServer, type TestNatsServer } from './nats-server.ts';

/** What the tests of a file share: a NATS server, and a connection to it. */
export interface NatsOfTests {
  readonly url: string;
  readonly connection: NatsConnection;
}

/** Called once in a file; its tests find there what stands from before the first until after the last of them. */
export function natsOfTests(): NatsOfTests {
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
  return {
    get url() {
      return server.url;
    },
    get connection() {
      return connection;
    },
  };
}
