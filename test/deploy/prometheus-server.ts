import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { accessSync, constants } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { stringify } from 'yaml';
import { freePort } from '../support/free-port.ts';

/** One series of a range query: its labels and its [time, value] pairs. */
export interface Series {
  readonly metric: Readonly<Record<string, string>>;
  readonly values: readonly (readonly [number, string])[];
}

export interface PrometheusServer {
  /** Evaluates PromQL at every second from `start` (seconds since 1970) until now. */
  queryRange(expression: string, start: number): Promise<readonly Series[]>;
  labelValues(label: string, metric: string): Promise<readonly string[]>;
  stop(): Promise<void>;
}

/** Path of Prometheus on this machine, if it is installed. */
export function findPrometheus(): string | undefined {
  const folders = [
    ...(process.env['PATH'] ?? '').split(delimiter),
    '/usr/bin',
    '/usr/local/bin',
    '/opt/homebrew/bin',
  ];
  return folders
    .map((folder) => join(folder, 'prometheus'))
    .find((path) => {
      try {
        accessSync(path, constants.X_OK);
        return true;
      } catch {
        return false;
      }
    });
}

/**
 * Starts a Prometheus that scrapes once a second.
 *
 * @param binary its path
 * @param directory a directory of its own, for configuration and data
 * @param targets HOST:PORT of each /metrics
 */
export async function startPrometheus(
  binary: string,
  directory: string,
  targets: readonly string[],
): Promise<PrometheusServer> {
  const configuration = join(directory, 'prometheus.yml');
  await writeFile(
    configuration,
    stringify({
      global: { scrape_interval: '1s' },
      scrape_configs: [{ job_name: 'fusemesh', static_configs: [{ targets }] }],
    }),
  );
  const address = `127.0.0.1:${await freePort()}`;
  const server = spawn(
    binary,
    [
      `--config.file=${configuration}`,
      `--storage.tsdb.path=${join(directory, 'data')}`,
      `--web.listen-address=${address}`,
      '--log.level=error',
    ],
    { stdio: ['ignore', 'ignore', 'inherit'] },
  );
  const exited = once(server, 'exit');

  const get = async (path: string, parameters: Record<string, string>): Promise<unknown> => {
    const response = await fetch(`http://${address}/api/v1/${path}?${new URLSearchParams(parameters)}`);
    const answer = (await response.json()) as { status: string; data: unknown; error?: string };
    if (answer.status !== 'success') throw new Error(`Prometheus refuses ${path}: ${answer.error}`);
    return answer.data;
  };
  await ready(`http://${address}/-/ready`);

  return {
    async queryRange(expression, start) {
      const end = Date.now() / 1000;
      const data = await get('query_range', {
        query: expression,
        start: `${start}`,
        end: `${end}`,
        step: '1',
      });
      return (data as { result: Series[] }).result;
    },
    async labelValues(label, metric) {
      return (await get(`label/${label}/values`, { 'match[]': metric })) as string[];
    },
    async stop() {
      server.kill('SIGTERM');
      await exited;
    },
  };
}

async function ready(url: string): Promise<void> {
  for (let attempt = 0; attempt < 100; attempt++) {
    const response = await fetch(url).catch(() => undefined);
    if (response?.ok) return;
    await setTimeout(100);
  }
  throw new Error(`${url} does not become ready within 10 s`);
}
