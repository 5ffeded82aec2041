import { afterAll, beforeAll } from 'vitest';
import { connectNats, type NatsConnection } from '../../wire/nats/connection.ts';
import { startNatsServer, type TestNatsServer } from './nats-server.ts';

/** What the tests of a file share: a NATS server and a connection to it. */
export interface NatsOfTests {
  readonly url: string;
  readonly connection: NatsConnection;
}

/**
 * To be called once in a test file; server and connection are there from before its first test until after its last.
 */
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
