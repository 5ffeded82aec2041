import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parse, stringify } from 'yaml';
import { freePort } from '../support/free-port.ts';

/** One series of a range query: its labels and its [time, value] pairs. */
export interface Series {
  readonly metric: Readonly<Record<string, string>>;
  readonly values: readonly (readonly [number, string])[];
}

/** A rule as Prometheus has loaded and evaluated it. */
export interface LoadedRule {
  readonly name: string;
  readonly query: string;
  readonly type: 'recording' | 'alerting';
  readonly health: string;
  readonly lastError?: string;
}

export interface PrometheusServer {
  /** Evaluates PromQL at every second from `start` (seconds since 1970) until now. */
  queryRange(expression: string, start: number): Promise<readonly Series[]>;
  labelValues(label: string, series: string): Promise<readonly string[]>;
  rules(): Promise<readonly LoadedRule[]>;
  stop(): Promise<void>;
}

const deployed = fileURLToPath(new URL('../../deploy/prometheus/prometheus.yml', import.meta.url));

/**
 * Starts Prometheus with the rules of deploy/prometheus, but with other targets, and with a second between scrapes and
 * between evaluations.
 *
 * @param binary its path
 * @param directory a directory of its own, for configuration and data
 * @param targetsFile list of what to scrape, each with its job, which is read again when it changes
 */
export async function startPrometheus(
  binary: string,
  directory: string,
  targetsFile: string,
): Promise<PrometheusServer> {
  const configuration = join(directory, 'prometheus.yml');
  await writeFile(configuration, stringify(await configurationWith(targetsFile)));
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

  const get = async (path: string, parameters: Record<string, string> = {}): Promise<unknown> => {
    const response = await fetch(`http://${address}/api/v1/${path}?${new URLSearchParams(parameters)}`);
    const answer = (await response.json()) as { status: string; data: unknown; error?: string };
    if (answer.status !== 'success') {
      throw new Error(`Prometheus refuses ${path} ${JSON.stringify(parameters)}: ${answer.error}`);
    }
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
    async labelValues(label, series) {
      return (await get(`label/${label}/values`, { 'match[]': series })) as string[];
    },
    async rules() {
      const { groups } = (await get('rules')) as { groups: { rules: LoadedRule[] }[] };
      return groups.flatMap(({ rules }) => rules);
    },
    async stop() {
      server.kill('SIGTERM');
      await exited;
    },
  };
}

async function configurationWith(targetsFile: string): Promise<unknown> {
  const { rule_files } = parse(await readFile(deployed, 'utf8')) as {
    readonly rule_files: readonly string[];
  };
  return {
    global: { scrape_interval: '1s', evaluation_interval: '1s' },
    rule_files: rule_files.map((file) => join(dirname(deployed), file)),
    scrape_configs: [
      { job_name: 'fusemesh', file_sd_configs: [{ files: [targetsFile], refresh_interval: '1s' }] },
    ],
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
