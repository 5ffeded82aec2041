import { access, constants } from 'node:fs/promises';
import { delimiter, join, resolve } from 'node:path';
import { FuseMeshError } from '../../errors/fusemesh-error.ts';

/** Folders outside many people's PATH where packages put it. */
const usualFolders = ['/usr/sbin', '/usr/local/sbin', '/opt/homebrew/bin'];

/**
 * The nats-server program: the one that NATS_SERVER names, else the first on PATH or in the usual folders,
 * else the one that our set-up put into .fusemesh/bin.
 *
 * @throws FuseMeshError not_found
 */
export async function findNatsServer(environment: NodeJS.ProcessEnv = process.env): Promise<string> {
  const { NATS_SERVER, PATH = '' } = environment;
  if (NATS_SERVER) {
    if (await isProgram(NATS_SERVER)) return NATS_SERVER;
    throw new FuseMeshError(
      'not_found',
      `NATS_SERVER names ${NATS_SERVER}, which is no program: correct it.`,
    );
  }
  const folders = [...PATH.split(delimiter).filter(Boolean), ...usualFolders, ownFolder()];
  for (const folder of folders) {
    const program = join(folder, 'nats-server');
    if (await isProgram(program)) return program;
  }
  throw new FuseMeshError(
    'not_found',
    'No nats-server found: install it (apt install nats-server, brew install nats-server), name it in NATS_SERVER, or set NATS_URL to a running one.',
  );
}

function ownFolder(): string {
  return resolve(import.meta.dirname, '../../.fusemesh/bin');
}

async function isProgram(path: string): Promise<boolean> {
  return access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
}
