import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { keepProgram } from '../../process/lifecycle/kept-program.ts';
import { findNatsServer } from '../../wire/nats/find-nats-server.ts';

/**
 * Starts a nats-server with JetStream and these lines in its configuration, on a free loopback port.
 *
 * @param directory an empty one, for its store, configuration and log
 */
export async function startSecuredNats(
  directory: string,
  lines: readonly string[],
): Promise<{ port: number; log(): Promise<string>; stop(): Promise<void> }> {
  const config = join(directory, 'nats-server.conf');
  const logFile = join(directory, 'nats-server.log');
  const common = [
    'host: "127.0.0.1"',
    'port: -1',
    `jetstream { store_dir: ${JSON.stringify(join(directory, 'store'))} }`,
    `ports_file_dir: ${JSON.stringify(directory)}`,
    `log_file: ${JSON.stringify(logFile)}`,
  ];
  await writeFile(config, [...common, ...lines, ''].join('\n'));
  const server = await keepProgram(await findNatsServer(), ['-c', config]);
  const log = () => readFile(logFile, 'utf8');
  for (let waited = 0; waited < 500 && server.exitCode() === undefined; waited++) {
    const file = (await readdir(directory)).find((name) => name.endsWith('.ports'));
    const ports = file === undefined ? '' : await readFile(join(directory, file), 'utf8');
    if (ports.trimEnd().endsWith('}')) {
      const { nats } = JSON.parse(ports) as { nats: string[] };
      return { port: Number(/:(\d+)$/.exec(nats[0])![1]), log, stop: server.stop };
    }
    await sleep(20);
  }
  await server.stop();
  throw new Error(`nats-server did not start: ${await log().catch(() => 'no log')}`);
}
