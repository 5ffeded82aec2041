import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { rows, runsQuery } from '../../deploy/grafana/dashboard.ts';
import { freePort } from '../support/free-port.ts';
import { findPrometheus, type PrometheusServer, startPrometheus } from './prometheus-server.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const zoo = (path: string): string => join(root, 'examples/zoo', path);
const binary = findPrometheus();
const run = 'dashboard-queries';
const domains = ['speeches', 'fiction', 'manuals'];
const models = ['orator', 'novelist', 'engineer'];

/** What Grafana puts in place of its variables. */
const asGrafanaSends = (expression: string): string =>
  expression.replaceAll('$run', run).replaceAll('$__rate_interval', '10s');

const why = binary ? '' : ' (skipped: Prometheus is not installed; apt-get install prometheus)';
describe.skipIf(!binary)(`every query of the dashboard, on the metrics of a real run${why}`, () => {
  let directory: string;
  let prometheus: PrometheusServer | undefined;
  let started: number;

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'fusemesh-dashboard-'));
    started = Date.now() / 1000;
    const ports = { target: await freePort(), trainer: await freePort() };
    const teachers = await Promise.all(
      models.map(async (name) => ({
        name,
        model: zoo(name),
        address: '127.0.0.1:0',
        metricsPort: await freePort(),
      })),
    );
    await writeFile(
      join(directory, 'run.yaml'),
      stringify({
        run,
        contextLength: 128,
        corpus: domains.map((domain) => ({ domain, path: zoo(`held-out/${domain}.txt`) })),
        teachers,
        target: {
          model: zoo('target'),
          source: { address: '127.0.0.1:0', metricsPort: ports.target },
        },
        trainer: {
          address: '127.0.0.1:0',
          metricsPort: ports.trainer,
          output: join(directory, 'output'),
        },
      }),
    );
    const metricsPorts = [...teachers.map(({ metricsPort }) => metricsPort), ports.target, ports.trainer];
    prometheus = await startPrometheus(
      binary!,
      directory,
      metricsPorts.map((port) => `127.0.0.1:${port}`),
    );
    await fusemeshUp(join(directory, 'run.yaml'));
  }, 240_000);

  afterAll(async () => {
    await prometheus?.stop();
    await rm(directory, { recursive: true, force: true });
  });

  it('offers the run for choice', async () => {
    expect(await prometheus!.labelValues(runsQuery.label, runsQuery.metric)).toEqual([run]);
  });

  for (const panel of rows.flatMap((row) => row.panels)) {
    it(`${panel.title} has data`, async () => {
      for (const { expression } of panel.queries) {
        const series = await prometheus!.queryRange(asGrafanaSends(expression), started);
        const numbers = series.flatMap(({ values }) => values.map(([, value]) => Number(value)));
        expect(numbers.filter(Number.isFinite).length, expression).toBeGreaterThan(0);
      }
    });

    it(`${panel.title} has a legend for every series`, async () => {
      for (const { expression, legend } of panel.queries) {
        const labels = [...legend.matchAll(/\{\{(\w+)\}\}/g)].map(([, label]) => label);
        for (const { metric } of await prometheus!.queryRange(asGrafanaSends(expression), started)) {
          for (const label of labels) expect(metric, expression).toHaveProperty(label);
        }
      }
    });
  }
});

async function fusemeshUp(runFile: string): Promise<void> {
  const child = spawn(process.execPath, [join(root, 'cli/fusemesh.mjs'), 'up', runFile], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const exit = new Promise<number | null>((resolve) => child.on('exit', resolve));
  const [output, errors] = await Promise.all([text(child.stdout), text(child.stderr)]);
  const code = await exit;
  if (code !== 0) throw new Error(`fusemesh up ends with ${code}:\n${output}${errors}`);
}
