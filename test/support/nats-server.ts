import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startLocalNatsServer } from '../../wire/nats/local-server.ts';

/** A NATS server for tests. Tests may share one, so runs need different names. */
export interface TestNatsServer {
  readonly url: string;
  /** Ends the server and removes what it stored. */
  stop(): Promise<void>;
}

/**
 * Starts a NATS server with JetStream on a free loopback port, its store in a temporary directory. Where
 * NATS_URL is set, that server is used and left running.
 */
export async function startNatsServer(): Promise<TestNatsServer> {
  const { NATS_URL } = process.env;
  if (NATS_URL) return { url: NATS_URL, stop: async () => {} };
  const storeDirectory = await mkdtemp(join(tmpdir(), 'fusemesh-nats-'));
  const server = await startLocalNatsServer({ storeDirectory });
  return {
    url: server.url,
    async stop() {
      await server.stop();
      await rm(storeDirectory, { recursive: true, force: true });
    },
  };
}
