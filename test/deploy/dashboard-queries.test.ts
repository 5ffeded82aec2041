import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { keepTargets } from '../../cli/observe/targets.ts';
import { dashboards } from '../../deploy/grafana/dashboards.ts';
import { checkpoints, choices, variables } from '../../deploy/grafana/variables.ts';
import { loadRunConfig } from '../../process/config/load-config.ts';
import { runCommand } from '../end-to-end/command.ts';
import { ServedServer } from '../served/served-server.ts';
import { findProgram } from './find-program.ts';
import { type PrometheusServer, startPrometheus } from './prometheus-server.ts';
import { alertRules, recordingRules } from './rule-files.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const zoo = (path: string): string => join(root, 'examples/zoo', path);
const binary = findProgram('prometheus');
const run = 'dashboard-queries';
const domains = ['speeches', 'fiction', 'manuals'];
const models = ['orator', 'novelist', 'engineer'];

/** What Grafana puts in place of its variables. */
const asGrafanaSends = (expression: string): string =>
  expression
    .replaceAll('$run', run)
    .replaceAll('$teacher', '.+')
    .replaceAll('$__rate_interval', '10s')
    .replaceAll('$__range', '60s');

/**
 * The values that an alert looks at: differences in place of comparisons, and all sides of it at once, so that it
 * has data where nothing is wrong too, if its metrics exist and their labels fit together.
 */
const withoutComparisons = (expression: string): string =>
  expression.replaceAll(/\s(==|!=|[<>]=?)\s/g, ' - ').replaceAll(/\bunless\b/g, 'and');

const why = binary ? '' : ' (skipped: Prometheus is not installed; apt-get install prometheus)';
describe.skipIf(!binary)(`on the metrics of a real run${why}`, () => {
  let directory: string;
  let prometheus: PrometheusServer | undefined;
  let server: ServedServer | undefined;
  let started: number;
  const over = new AbortController();

  /** The series of an expression during the run, if they have a number at all. */
  const seriesWithData = async (expression: string) => {
    const series = await prometheus!.queryRange(expression, started);
    return series.filter(({ values }) => values.some(([, value]) => Number.isFinite(Number(value))));
  };
  const expectData = async (expression: string) =>
    expect((await seriesWithData(expression)).length, expression).toBeGreaterThan(0);

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'fusemesh-dashboard-'));
    started = Date.now() / 1000;
    server = await ServedServer.start({ api: 'vllm', directory: zoo('orator'), maxLogprobs: 64 });
    const { url } = server;
    const teachers = models.map((name) => ({
      name,
      // The metrics of served models too.
      ...(name === 'orator'
        ? { served: { url, api: 'vllm', model: 'model' }, tokenizer: zoo(name) }
        : { model: zoo(name) }),
      address: '127.0.0.1:0',
    }));
    const prompts = join(directory, 'prompts.jsonl');
    await writeFile(
      prompts,
      ['The people', 'It was a', 'Turn the'].map((prompt) => JSON.stringify({ prompt })).join('\n'),
    );
    const runFile = join(directory, 'run.yaml');
    await writeFile(
      runFile,
      stringify({
        run,
        contextLength: 128,
        corpus: domains.map((domain) => ({ domain, path: zoo(`held-out/${domain}.txt`) })),
        heldOut: domains.map((domain) => ({ domain, path: zoo(`held-out/${domain}.txt`) })),
        // The metrics of what the target writes itself too.
        onPolicy: { prompts: [{ domain: 'begun', path: prompts }], maxNewTokens: 24, share: 0.3 },
        teachers,
        target: {
          model: zoo('target'),
          source: { address: '127.0.0.1:0' },
          service: { address: '127.0.0.1:0' },
        },
        trainer: {
          address: '127.0.0.1:0',
          metricsPort: 0,
          output: join(directory, 'output'),
          batchDocuments: 2,
          steps: 60,
          evaluateEvery: 20,
          checkpointEvery: 20,
        },
      }),
    );
    const targets = join(directory, 'targets.json');
    const config = await loadRunConfig(runFile);
    void keepTargets(config, targets, { onChange: () => undefined, signal: over.signal });
    prometheus = await startPrometheus(binary!, directory, targets);
    await fusemeshUp(runFile);
  }, 480_000);

  afterAll(async () => {
    over.abort();
    await prometheus?.stop();
    await server?.stop();
    await rm(directory, { recursive: true, force: true });
  });

  it('every variable of the dashboards offers something', async () => {
    const offered = await Promise.all(
      variables.map((variable) => prometheus!.labelValues(variable.name, asGrafanaSends(choices(variable)))),
    );
    expect(offered).toEqual([[run], [...models, 'target'].sort()]);
  });

  it('the dashboards mark checkpoints', async () => {
    const [{ values }] = await seriesWithData(asGrafanaSends(checkpoints));
    const times = new Set(values.map(([, milliseconds]) => Number(milliseconds)));
    expect(times.size).toBeGreaterThan(1);
    for (const time of times) {
      expect(time).toBeGreaterThan(1000 * started);
      expect(time).toBeLessThan(Date.now());
    }
  });

  describe.each(dashboards)('the dashboard $uid', ({ rows }) => {
    for (const { title, queries, as } of rows.flatMap((row) => row.panels)) {
      it(`${title} has data`, async () => {
        for (const { expression } of queries) await expectData(asGrafanaSends(expression));
      });

      it(`${title} has a legend for every series`, async () => {
        for (const { expression, legend } of queries) {
          const named = [...legend.matchAll(/\{\{(\w+)\}\}/g)].map(([, label]) => label);
          const labels = as === 'table' ? ['teacher'] : named;
          for (const { metric } of await seriesWithData(asGrafanaSends(expression))) {
            for (const label of labels) expect(metric, expression).toHaveProperty(label);
            if (labels.length === 0) expect(metric, expression).not.toHaveProperty('teacher');
          }
        }
      });
    }
  });

  it('Prometheus has evaluated every rule without an error', async () => {
    const rules = await prometheus!.rules();
    expect(rules).toHaveLength(recordingRules.length + alertRules.length);
    for (const { name, health, lastError } of rules)
      expect({ name, health, lastError }).toMatchObject({ health: 'ok' });
  });

  it.each(recordingRules)('$record has data', async ({ record, expr }) => {
    await expectData(expr);
    await expectData(record!);
  });

  it.each(alertRules)('$alert looks at values that are there', async ({ expr }) => {
    await prometheus!.queryRange(expr, started);
    await expectData(withoutComparisons(expr));
  });

  it('no alert fires in a run in which all is well', async () => {
    const fired = await seriesWithData('ALERTS{alertstate="firing"}');
    expect(fired.map(({ metric }) => metric['alertname'])).toEqual([]);
  });
});

async function fusemeshUp(runFile: string): Promise<void> {
  const { code, stdout, stderr } = await runCommand(['up', runFile]);
  if (code !== 0) throw new Error(`fusemesh up ends with ${code}:\n${stdout}${stderr}`);
}
