import { once } from 'node:events';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { FuseMeshError } from '../../errors/fusemesh-error.ts';
import { isAlive } from '../reach/processes-file.ts';

/**
 * Makes a directory ours until it is given back: two Prometheus over the same data would spoil it, and not every
 * build of it locks its directory.
 *
 * @returns what gives it back
 * @throws FuseMeshError failed_precondition while another process has it
 */
export async function claimDirectory(directory: string): Promise<() => Promise<void>> {
  const file = join(directory, 'observe.pid');
  const holder = Number(await readFile(file, 'utf8').catch(() => ''));
  if (Number.isInteger(holder) && holder > 0 && !isAlive(holder)) await rm(file, { force: true });
  try {
    await writeFile(file, `${process.pid}\n`, { flag: 'wx' });
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'EEXIST') throw cause;
    throw new FuseMeshError(
      'failed_precondition',
      `${directory} is in use by another \`fusemesh observe\` (process ${holder}): look at that one, or stop it ` +
        `(if there is none, remove ${file})`,
      { cause },
    );
  }
  return () => rm(file, { force: true });
}

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
