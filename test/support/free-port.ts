import { createServer } from 'node:net';

/**
 * Below the ports that systems assign by themselves (from 32,768 on Linux, from 49,152 elsewhere): one of those could
 * be taken by another process before it is used.
 */
const [lowest, highest] = [15_000, 30_000];

/** A free TCP port of the loopback interface that is never assigned to a listener on port 0. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = lowest + Math.floor(Math.random() * (highest - lowest));
    if (await isFree(port)) return port;
  }
}

const isFree = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
