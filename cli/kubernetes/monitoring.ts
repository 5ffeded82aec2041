import { readdir, readFile } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { parse } from 'yaml';
import { sourcesOf } from '../../process/config/run-sources.ts';
import { runNames, teacherConsumer } from '../../wire/nats/names.ts';
import { labelsOf, type Manifest, metadataOf, partLabel } from './manifest.ts';
import { measured } from './network.ts';
import { type PlacedRun, teacherName } from './placed-run.ts';

const deploy = resolve(import.meta.dirname, '../../deploy');

/** For the operator of Prometheus and a Grafana with its sidecar: what to scrape, rules, alerts, dashboards. */
export async function monitoring({ config, placement: { namespace } }: PlacedRun): Promise<Manifest[]> {
  const { run, security } = config;
  const rules = await Promise.all(
    ['recording.yaml', 'alerts.yaml'].map(async (file) => {
      const text = await readFile(join(deploy, 'prometheus', file), 'utf8');
      return (parse(text) as { groups: readonly object[] }).groups;
    }),
  );
  const folder = join(deploy, 'grafana/dashboards');
  const files = (await readdir(folder)).filter((file) => file.endsWith('.json')).sort();
  return [
    {
      apiVersion: 'monitoring.coreos.com/v1',
      kind: 'PodMonitor',
      metadata: metadataOf(run, namespace, labelsOf(run)),
      spec: {
        // The rules go by the names of the jobs: teacher and trainer.
        jobLabel: partLabel,
        selector: measured(run),
        podMetricsEndpoints: [
          {
            port: 'metrics',
            interval: '5s',
            scheme: security.tls ? 'https' : 'http',
            ...(security.tls && { tlsConfig: { insecureSkipVerify: true } }),
          },
        ],
      },
    },
    {
      apiVersion: 'monitoring.coreos.com/v1',
      kind: 'PrometheusRule',
      metadata: metadataOf(`${run}-fusemesh`, namespace, labelsOf(run)),
      spec: { groups: rules.flat() },
    },
    ...(await Promise.all(
      files.map(
        async (file): Promise<Manifest> => ({
          apiVersion: 'v1',
          kind: 'ConfigMap',
          metadata: metadataOf(`${run}-${basename(file, '.json')}`, namespace, {
            ...labelsOf(run),
            grafana_dashboard: '1',
          }),
          data: { [file]: await readFile(join(folder, file), 'utf8') },
        }),
      ),
    )),
  ];
}

/** For KEDA: as many processes of a source as documents wait for it, by what NATS's monitoring says. */
export function scaledObjects(
  { config, placement: { namespace } }: PlacedRun,
  { most, monitor }: { readonly most: number; readonly monitor: string },
): Manifest[] {
  const { run } = config;
  return sourcesOf(config).map(({ name, batchDocuments }) => ({
    apiVersion: 'keda.sh/v1alpha1',
    kind: 'ScaledObject',
    metadata: metadataOf(teacherName(run, name), namespace, labelsOf(run, 'teacher', name)),
    spec: {
      scaleTargetRef: { name: teacherName(run, name) },
      minReplicaCount: 1,
      maxReplicaCount: most,
      triggers: [
        {
          type: 'nats-jetstream',
          metadata: {
            natsServerMonitoringEndpoint: monitor,
            account: '$G',
            stream: runNames(run).documentsStream,
            consumer: teacherConsumer(name),
            // Four batches for each process are work enough.
            lagThreshold: String(4 * batchDocuments),
          },
        },
      ],
    },
  }));
}
