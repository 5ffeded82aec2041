import { sourcesOf } from '../../process/config/run-sources.ts';
import { labelsOf, type Manifest, metadataOf, type Part, partLabel } from './manifest.ts';
import { type PlacedRun, ports, targetName, teacherName, trainerName, workerName } from './placed-run.ts';

/** A Service for each source, for the target service and for the trainer, under the names that the run file has. */
export function services({ config, placement: { namespace } }: PlacedRun): Manifest[] {
  const { run } = config;
  const service = (
    name: string,
    labels: Record<string, string>,
    port: number,
    extra: object = {},
  ): Manifest => ({
    apiVersion: 'v1',
    kind: 'Service',
    metadata: metadataOf(name, namespace, labels),
    spec: {
      ...extra,
      selector: labels,
      ports: [
        { name: 'grpc', port, targetPort: 'grpc' },
        { name: 'metrics', port: ports.metrics, targetPort: 'metrics' },
      ],
    },
  });
  return [
    ...sourcesOf(config).map(({ name }) =>
      service(teacherName(run, name), labelsOf(run, 'teacher', name), ports.teacher, {
        // The trainer attaches one that still loads its model as soon as it answers.
        publishNotReadyAddresses: true,
      }),
    ),
    ...(config.target.service ? [service(targetName(run), labelsOf(run, 'target'), ports.target)] : []),
    service(trainerName(run), labelsOf(run, 'trainer'), ports.trainer, {
      clusterIP: 'None',
      publishNotReadyAddresses: true,
    }),
  ];
}

/** Voluntary disruptions take one process of a source at a time. */
export function disruptionBudgets({ config, placement: { namespace } }: PlacedRun): Manifest[] {
  const { run } = config;
  return sourcesOf(config).map(({ name }) => ({
    apiVersion: 'policy/v1',
    kind: 'PodDisruptionBudget',
    metadata: metadataOf(teacherName(run, name), namespace, labelsOf(run, 'teacher', name)),
    spec: { maxUnavailable: 1, selector: { matchLabels: labelsOf(run, 'teacher', name) } },
  }));
}

/** Who may call whom: feeder and trainer the teachers, rollout workers the target, and Prometheus every /metrics. */
export function networkPolicies({ config, placement: { namespace } }: PlacedRun): Manifest[] {
  const { run, target, onPolicy } = config;
  const fromParts = (...parts: Part[]) =>
    parts.map((part) => ({ podSelector: { matchLabels: labelsOf(run, part) } }));
  const policy = (name: string, part: Part | undefined, ingress: readonly object[]): Manifest => ({
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    metadata: metadataOf(name, namespace, labelsOf(run)),
    spec: {
      podSelector: { matchLabels: labelsOf(run, part) },
      policyTypes: ['Ingress'],
      ingress,
    },
  });
  // A target service has OpenAI's API at the same port.
  const metrics = { ports: [{ port: ports.metrics, protocol: 'TCP' }] };
  const fromWorkers = { from: fromParts('rollout'), ports: [{ port: ports.target, protocol: 'TCP' }] };
  return [
    policy(`${run}-closed`, undefined, []),
    policy(`${run}-teachers`, 'teacher', [
      { from: fromParts('feeder', 'trainer'), ports: [{ port: ports.teacher, protocol: 'TCP' }] },
      metrics,
    ]),
    ...(target.service ? [policy(targetName(run), 'target', [fromWorkers, metrics])] : []),
    ...(onPolicy ? [policy(workerName(run), 'rollout', [metrics])] : []),
    policy(`${run}-trainer`, 'trainer', [metrics]),
  ];
}

/** Selects the pods of a run that have metrics. */
export const measured = (run: string): object => ({
  matchLabels: labelsOf(run),
  matchExpressions: [{ key: partLabel, operator: 'In', values: ['teacher', 'target', 'rollout', 'trainer'] }],
});
