import type { MetricDefinition, MetricTable } from '../../process/metrics/metric.ts';
import { processTable } from '../../process/metrics/process-table.ts';
import { feederTable } from '../../services/feeder/metric-table.ts';
import { rolloutTable } from '../../services/rollout/metric-table.ts';
import { targetTable } from '../../services/target/metric-table.ts';
import { servedTable } from '../../services/teacher/backends/served/metric-table.ts';
import { teacherTable } from '../../services/teacher/metric-table.ts';
import { trainerTable } from '../../trainer/report/metric-table.ts';

/** Every metric of ours, by the process that has it. */
export const metricTables: readonly {
  readonly title: string;
  readonly about: string;
  readonly table: MetricTable;
}[] = [
  {
    title: 'Trainer',
    about: 'All have the label `run` beside those named here.',
    table: trainerTable,
  },
  {
    title: 'Teacher',
    about:
      'By the runs that it works for. Every series of a run is there, at 0, as soon as the teacher is attached to it.',
    table: teacherTable,
  },
  {
    title: 'Teacher of a served model',
    about: 'Whatever the run: `teacher` is its name in its own run file, `url` that of a server.',
    table: servedTable,
  },
  {
    title: 'Target service',
    about: 'All have the label `run` beside those named here.',
    table: targetTable,
  },
  {
    title: 'Rollout worker',
    about: 'All have the label `run` beside those named here.',
    table: rolloutTable,
  },
  {
    title: 'Feeder',
    about:
      'Where `fusemesh feed --listen HOST:PORT` serves them. All have the label `run` beside those named here.',
    table: feederTable,
  },
  {
    title: 'Every process',
    about: 'Of all but teachers they have the label `run` too; a teacher may work for several runs.',
    table: processTable,
  },
];

/** The metrics of Node's own that show best what troubles a process. */
const ofNode: readonly (readonly [name: string, meaning: string])[] = [
  ['process_resident_memory_bytes', 'Memory of the process, the buffers of ONNX Runtime included.'],
  ['process_cpu_seconds_total', 'Processor time; its rate is the number of cores in use.'],
  ['process_start_time_seconds', 'When the process began, in seconds since 1970: a jump is a restart.'],
  [
    'nodejs_eventloop_lag_p99_seconds',
    'How late timers come, at worst: a second means that gRPC and /metrics answer a second late.',
  ],
  ['nodejs_heap_size_used_bytes', 'Memory of JavaScript objects; one that only grows is a leak.'],
  ['nodejs_external_memory_bytes', 'Memory of buffers outside of the JavaScript heap.'],
  ['nodejs_gc_duration_seconds', 'Histogram of pauses of the garbage collector, by kind.'],
];

const head = `# Metrics

Made by \`npm run generate\` from the tables in the code
([trainer](../trainer/report/metric-table.ts), [teacher](../services/teacher/metric-table.ts),
[target service](../services/target/metric-table.ts), [rollout worker](../services/rollout/metric-table.ts),
[every process](../process/metrics/process-table.ts)): change them there.

Trainer and teachers serve \`/metrics\` at their \`metricsPort\` in Prometheus' text format, a target service at its
\`httpPort\`, a rollout worker where its \`--listen\` says; the feeder has none.
The label \`run\` is \`run\` of the run file, and \`teacher\` a source's name in it (\`target.source\` is one too).
Counters count since the process began, so take \`rate()\` or \`increase()\` of them, which know of restarts.
A histogram is three series: \`…_bucket\`, \`…_sum\` and \`…_count\`. Nothing waits for NATS while \`/metrics\` is
answered: what is told of streams was seen in the last seconds.

Dashboards over these metrics are in [deploy/grafana](../deploy/grafana), alert rules in
[deploy/prometheus](../deploy/prometheus).
`;

/** docs/metrics.md. */
export function metricsDocument(): string {
  const tables = metricTables.map(({ title, about, table }) =>
    [`## ${title}`, '', about, '', ...rows(Object.values(table))].join('\n'),
  );
  const node = [
    '## Node',
    '',
    "Every process also has the usual metrics of Node's process (`process_…`, `nodejs_…`). Those that matter:",
    '',
    '| Metric | Meaning |',
    '| --- | --- |',
    ...ofNode.map(([name, meaning]) => `| \`${name}\` | ${meaning} |`),
  ].join('\n');
  return `${[head, ...tables.map((table) => `${table}\n`), node].join('\n')}\n`;
}

const rows = (definitions: readonly MetricDefinition[]): string[] => [
  '| Metric | Kind | Labels | Meaning |',
  '| --- | --- | --- | --- |',
  ...definitions.map(
    ({ name, kind, labels, help }) =>
      `| \`${name}\` | ${kind} | ${labels.map((label) => `\`${label}\``).join(', ')} | ${help.replaceAll('|', '\\|')} |`,
  ),
];
