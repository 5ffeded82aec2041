import { randomBytes } from 'node:crypto';
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { FuseMeshError } from '../../errors/fusemesh-error.ts';
import { onDisk } from '../../errors/on-disk.ts';
import { type KeptProgram, keepProgram } from '../../process/lifecycle/kept-program.ts';
import { findNatsServer } from './find-nats-server.ts';
import { isSince, versionOfProgram } from './server-version.ts';

/** A nats-server of our own, with JetStream, on the loopback interface. */
export interface LocalNatsServer {
  readonly url: string;
  readonly pid: number;
  /** File of the token that it demands; undefined where everybody on this machine is let in. */
  readonly tokenFile: string | undefined;
  /** Resolves when it has ended, for whatever reason. */
  readonly ended: Promise<unknown>;
  /** Ends it and returns when it is gone. What it stored stays. */
  stop(): Promise<void>;
}

/** Largest message, in bytes. */
const maxPayload = 32 * 1024 * 1024;
const startWithin = 15_000;
const ownerOnly = 0o600;

/** How often acknowledged messages are synced to disk: with every message, or every so many seconds. */
export type SyncPolicy = 'always' | number;

export interface LocalNatsOptions {
  /** Folder of its streams and its log; made when missing. */
  readonly storeDirectory: string;
  /** 0, the default, takes a free one. */
  readonly port?: number;
  /** Left out, the server's own default. */
  readonly sync?: SyncPolicy | undefined;
  /**
   * Demands a token, kept beside the store where its owner can read it. A server that is started again over the same
   * store demands the same token.
   */
  readonly demandToken?: boolean;
}

/**
 * Starts nats-server with JetStream. It dies with this process.
 *
 * @throws FuseMeshError not_found without a nats-server program, failed_precondition when it does not start
 */
export async function startLocalNatsServer(options: LocalNatsOptions): Promise<LocalNatsServer> {
  const program = await findNatsServer();
  if (options.sync !== undefined) await refuseWithoutSync(program);
  const directory = resolve(options.storeDirectory);
  await onDisk(directory, async () => {
    await mkdir(directory, { recursive: true });
    await forgetOldPorts(directory);
  });
  const logFile = join(directory, 'nats-server.log');
  const configFile = join(directory, 'nats-server.conf');
  const tokenFile = options.demandToken ? join(directory, 'token') : undefined;
  const token = tokenFile && (await onDisk(tokenFile, () => keptToken(tokenFile)));
  await rm(configFile, { force: true });
  const config = serverConfig({ ...options, directory, logFile, token });
  await onDisk(configFile, () => writeFile(configFile, config, { mode: ownerOnly }));

  const server = await keepProgram(program, ['-c', configFile]);
  const { pid, ended, stop } = server;
  try {
    const url = await readUrl(server, join(directory, `${basename(program)}_${pid}.ports`));
    return { url, pid, tokenFile, ended, stop };
  } catch (cause) {
    await stop();
    throw new FuseMeshError(
      'failed_precondition',
      `nats-server (${program}) did not start: ${await lastComplaint(logFile)}`,
      { cause },
    );
  }
}

/** The token in a file, which is made when missing. */
async function keptToken(file: string): Promise<string> {
  const token = randomBytes(32).toString('hex');
  try {
    await writeFile(file, `${token}\n`, { mode: ownerOnly, flag: 'wx' });
    return token;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return (await readFile(file, 'utf8')).trim();
    // Made and not written, it would let everybody in next time.
    await rm(file, { force: true });
    throw error;
  }
}

type ServerSettings = Pick<LocalNatsOptions, 'port' | 'sync'> & {
  readonly directory: string;
  readonly logFile: string;
  readonly token: string | undefined;
};

function serverConfig({ directory, logFile, port, sync, token }: ServerSettings): string {
  const synced =
    typeof sync === 'number' ? `, sync_interval: "${sync}s"` : sync && `, sync_interval: ${sync}`;
  return [
    'host: "127.0.0.1"',
    `port: ${port || -1}`,
    `max_payload: ${maxPayload}`,
    `jetstream { store_dir: ${JSON.stringify(directory)}${synced ?? ''} }`,
    `ports_file_dir: ${JSON.stringify(directory)}`,
    `log_file: ${JSON.stringify(logFile)}`,
    ...(token === undefined ? [] : [`authorization { token: ${JSON.stringify(token)} }`]),
    '',
  ].join('\n');
}

/** The first version with `sync_interval`. */
const syncSince = [2, 10] as const;

/**
 * Refuses a server that cannot be told when to sync.
 *
 * @throws FuseMeshError failed_precondition
 */
export async function refuseWithoutSync(program: string): Promise<void> {
  const version = await versionOfProgram(program);
  if (isSince(version, syncSince)) return;
  throw new FuseMeshError(
    'failed_precondition',
    `nats.sync needs nats-server ${syncSince.join('.')} or newer, and ${program} is ${version}: leave nats.sync out, or set NATS_SERVER to a newer one.`,
  );
}

async function forgetOldPorts(directory: string): Promise<void> {
  const files = await readdir(directory);
  const old = files.filter((file) => file.endsWith('.ports'));
  await Promise.all(old.map((file) => rm(join(directory, file), { force: true })));
}

/** The server writes the file that says where it listens as soon as it does. */
async function readUrl(server: KeptProgram, portsFile: string): Promise<string> {
  const deadline = Date.now() + startWithin;
  while (server.exitCode() === undefined && Date.now() < deadline) {
    const ports = await readFile(portsFile, 'utf8').catch(() => '');
    if (ports.trimEnd().endsWith('}')) {
      const { nats } = JSON.parse(ports) as { nats: string[] };
      return nats[0];
    }
    await sleep(20);
  }
  const code = server.exitCode();
  throw new Error(code === undefined ? `no ${portsFile}` : `exit code ${code}`);
}

async function lastComplaint(logFile: string): Promise<string> {
  const log = await readFile(logFile, 'utf8').catch(() => '');
  const complaint = log.split('\n').findLast((line) => /\[(FTL|ERR)\]/.test(line));
  return complaint?.replace(/^.*\[(FTL|ERR)\]\s*/, '') ?? `see ${logFile}`;
}
