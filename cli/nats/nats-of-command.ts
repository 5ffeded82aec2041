import { readFile } from 'node:fs/promises';
import type { Command } from 'commander';
import { parse } from 'yaml';
import { FuseMeshError } from '../../errors/fusemesh-error.ts';
import type { RunConfig } from '../../process/config/schema.ts';
import { connectNats, type NatsConnection } from '../../wire/nats/connection.ts';
import { atUrl, type NatsSettings } from '../../wire/nats/login.ts';
import { readProcesses } from '../reach/processes-file.ts';
import { type RunFileOptions, readRunFile, withSettings } from '../run-file.ts';

/** What a verb that looks at NATS accepts beside a run file. */
export interface NatsOptions extends RunFileOptions {
  readonly nats?: string;
}

/** Declares `--nats` and `--set`. */
export function withNats(command: Command): Command {
  return withSettings(command).option(
    '--nats <url>',
    'the NATS server; else that of the run file or of NATS_URL',
  );
}

/** The NATS server that a command line names, and the run file that it named it by. */
interface NamedNats {
  readonly where: NatsSettings;
  readonly config: RunConfig | undefined;
}

/**
 * The NATS server that a command line names: by --nats, by a run file (that of the `fusemesh up` that runs it, if it
 * has started one), or by NATS_URL.
 *
 * @param path the run file, if one is given
 * @throws FuseMeshError invalid_argument where none is named
 */
export async function natsOfCommand(path: string | undefined, options: NatsOptions): Promise<NamedNats> {
  const config = path === undefined ? undefined : await readRunFile(path, options);
  const url = options.nats ?? (config ? undefined : process.env['NATS_URL']);
  if (url) return { where: atUrl(url), config };
  if (path && config) return { where: await natsOfRun(path, config, options), config };
  throw new FuseMeshError(
    'invalid_argument',
    'No NATS server is named: give a run file or --nats URL, or set NATS_URL.',
  );
}

/** The NATS server of a run: where nothing says which, that of the `fusemesh up` that runs it now. */
export async function natsOfRun(
  path: string,
  { nats, security, trainer }: RunConfig,
  { set = [] }: RunFileOptions,
): Promise<NatsSettings> {
  if (!(await needsOwnNats(path, set, process.env))) return { nats, security };
  const running = await readProcesses(trainer.output);
  const own = running.state === 'running' ? running.nats : undefined;
  return { nats: own ?? nats, security };
}

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

/**
 * Does something over a connection to a NATS server.
 *
 * @param command of this command line, as the server lists it
 * @throws FuseMeshError unavailable when nothing answers there
 */
export async function overNats<T>(
  where: NatsSettings,
  command: string,
  work: (connection: NatsConnection) => Promise<T>,
): Promise<T> {
  const connection = await connectNats(where, `fusemesh ${command}`);
  try {
    return await work(connection);
  } finally {
    await connection.close();
  }
}
