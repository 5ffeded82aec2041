import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse } from 'yaml';
import { FuseMeshError } from '../../errors/fusemesh-error.ts';
import type { RunConfig } from '../../process/config/schema.ts';
import { startLastingNatsServer } from '../../wire/nats/lasting-server.ts';

/**
 * Whether a run brings no NATS server with it, so that `up` starts one: neither the file nor the environment
 * nor the command line says where it is.
 */
export async function needsOwnNats(
  path: string,
  overrides: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
): Promise<boolean> {
  if (environment['NATS_URL'] || environment['FUSEMESH_NATS__URL']) return false;
  if (overrides.some((pair) => pair.startsWith('nats.url='))) return false;
  const file: { nats?: { url?: unknown } } | null = parse(await readFile(path, 'utf8'));
  return file?.nats?.url === undefined;
}

/** A nats-server of `up`. */
export interface OwnNats {
  /** The part of the run file about NATS, as it is with this server. */
  readonly settings: RunConfig['nats'];
  /** The same for the command lines of other processes: they say where the token is, not what it is. */
  readonly overrides: readonly string[];
  stop(): Promise<void>;
}

/**
 * Starts a nats-server for a run. Other users of this machine get into it as little as into the run's directory.
 *
 * @param tell hears in one line when it ended and is started again
 * @throws FuseMeshError invalid_argument when the run says how to enter a server, but not which
 */
export async function startOwnNats(
  { nats, trainer }: RunConfig,
  tell: (line: string) => void,
): Promise<OwnNats> {
  refuseLogin(nats);
  const storeDirectory = join(trainer.output, 'nats');
  const server = { storeDirectory, sync: nats.sync, demandToken: true };
  const { url, tokenFile, stop } = await startLastingNatsServer(server, tell);
  const overrides = [`nats.url=${url}`, `nats.tokenFile=${JSON.stringify(tokenFile)}`];
  return { settings: { ...nats, url, tokenFile }, overrides, stop };
}

function refuseLogin({ user, passwordFile, tokenFile, credentialsFile, tls }: RunConfig['nats']): void {
  const ways = Object.entries({ user, passwordFile, tokenFile, credentialsFile, tls });
  const [key] = ways.find(([, value]) => value !== undefined) ?? [];
  if (key === undefined) return;
  throw new FuseMeshError(
    'invalid_argument',
    `nats.${key} says how to enter a NATS server, but not which: set nats.url; the server that \`up\` brings needs nothing`,
  );
}
