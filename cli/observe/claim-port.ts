import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { FuseMeshError } from '../../errors/fusemesh-error.ts';

/**
 * A port of this machine that nothing listens on.
 *
 * @param port 0 picks one
 * @param option of the command line that sets it
 * @throws FuseMeshError failed_precondition when something listens there
 */
export async function claimPort(port: number, option: string): Promise<number> {
  const server = createServer();
  try {
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
  } catch (cause) {
    throw new FuseMeshError(
      'failed_precondition',
      `127.0.0.1:${port} cannot be listened on (${(cause as NodeJS.ErrnoException).code}): ` +
        `stop what listens there, or give ${option} another port (0 picks a free one)`,
      { cause },
    );
  }
  const bound = (server.address() as AddressInfo).port;
  server.close();
  await once(server, 'close');
  return bound;
}
