import { stringify } from 'yaml';
import { sourcesOf } from '../../process/config/run-sources.ts';
import { labelsOf, type Manifest, metadataOf, type Part } from './manifest.ts';
import {
  type PlacedRun,
  places,
  ports,
  scaledParts,
  targetName,
  teacherName,
  trainerName,
  workerName,
} from './placed-run.ts';

/** How long a process has to leave: a teacher finishes its batch, the trainer a step and a checkpoint. */
const graceSeconds = 60;
/** The user of the image. */
const user = 1000;

export const configName = (run: string): string => `${run}-config`;
export const secretName = (run: string): string => `${run}-secrets`;
export const dataClaim = (run: string): string => `${run}-data`;

/** The run file of the cluster. */
export function configMap({ config, placement: { namespace } }: PlacedRun): Manifest {
  const text = stringify(config, { lineWidth: 0 });
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: metadataOf(configName(config.run), namespace, labelsOf(config.run)),
    data: { 'run.yaml': text },
  };
}

/** One Deployment for each source. */
export function teachers(placed: PlacedRun): Manifest[] {
  const { run } = placed.config;
  const { namespace, replicas } = placed.placement;
  return sourcesOf(placed.config).map((source) => {
    const labels = labelsOf(run, 'teacher', source.name);
    const pod = podSpec(placed, 'teacher', {
      args: ['teacher', places.config, source.name],
      env: advertised(source.key, ports.teacher),
      port: ports.teacher,
      resources: resourcesOf(source.execution, source.threads),
    });
    return {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: metadataOf(teacherName(run, source.name), namespace, labels),
      spec: {
        replicas: replicas.get(source.name) ?? 1,
        selector: { matchLabels: labels },
        template: { metadata: { labels }, spec: pod },
      },
    };
  });
}

/** The target as it learns, and the workers that have it write; neither keeps anything. */
export function onPolicyWorkloads(placed: PlacedRun): Manifest[] {
  const { run, target, onPolicy } = placed.config;
  const { namespace, replicas } = placed.placement;
  const { service } = target;
  const deployment = (name: string, part: Part, count: number | undefined, pod: object): Manifest => {
    const labels = labelsOf(run, part);
    const template = { metadata: { labels }, spec: pod };
    return {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: metadataOf(name, namespace, labels),
      spec: { replicas: count ?? 1, selector: { matchLabels: labels }, template },
    };
  };
  const made: Manifest[] = [];
  if (service) {
    const pod = podSpec(placed, 'target', {
      args: ['target', places.config],
      env: advertised('target.service', ports.target),
      port: ports.target,
      resources: resourcesOf(service.execution, service.threads),
    });
    made.push(deployment(targetName(run), 'target', replicas.get(scaledParts.targetService), pod));
  }
  if (onPolicy) {
    const pod = podSpec(placed, 'rollout', {
      args: ['rollout', places.config, '--listen', `0.0.0.0:${ports.metrics}`],
      port: 'metrics only',
      resources: resourcesOf('cpu', 1),
    });
    made.push(deployment(workerName(run), 'rollout', replicas.get(scaledParts.rollout), pod));
  }
  return made;
}

/** The volume on which the feeder keeps what the target has written; none where it writes nothing. */
export function rolloutsClaim({ config, placement: { namespace } }: PlacedRun, storage: string): Manifest[] {
  if (!config.onPolicy) return [];
  return [
    {
      apiVersion: 'v1',
      kind: 'PersistentVolumeClaim',
      metadata: metadataOf(rolloutsName(config.run), namespace, labelsOf(config.run)),
      spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage } } },
    },
  ];
}

const rolloutsName = (run: string): string => `${run}-rollouts`;

/**
 * The feeder cuts the corpus again where its pod was moved, so it needs no volume that stays; with onPolicy it has one for
 * what the target wrote. A Job takes exit code 0 for its end, so a feeder whose node is drained leaves with another one.
 */
export function feeder(placed: PlacedRun): Manifest {
  const { run, onPolicy } = placed.config;
  const labels = labelsOf(run, 'feeder');
  const volume = onPolicy ? { persistentVolumeClaim: { claimName: rolloutsName(run) } } : { emptyDir: {} };
  const spec = podSpec(placed, 'feeder', {
    args: ['feed', places.config, '--until-over'],
    resources: resourcesOf('cpu', 1),
    volumes: [{ name: 'output', ...volume }],
  });
  return {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: metadataOf(`${run}-feeder`, placed.placement.namespace, labels),
    spec: {
      backoffLimit: 100,
      template: { metadata: { labels }, spec: { ...spec, restartPolicy: 'OnFailure' } },
    },
  };
}

/**
 * A StatefulSet starts no second trainer before the first is gone, and keeps its volume. It begins again whatever ends, so
 * a trainer that has finished stays, and its page and the fused model can be fetched.
 */
export function trainer(placed: PlacedRun, storage: string): Manifest {
  const { run, trainer: settings } = placed.config;
  const labels = labelsOf(run, 'trainer');
  return {
    apiVersion: 'apps/v1',
    kind: 'StatefulSet',
    metadata: metadataOf(trainerName(run), placed.placement.namespace, labels),
    spec: {
      replicas: 1,
      serviceName: trainerName(run),
      selector: { matchLabels: labels },
      template: {
        metadata: { labels },
        spec: podSpec(placed, 'trainer', {
          args: ['trainer', places.config, '--stay'],
          port: ports.trainer,
          resources: resourcesOf(settings.execution, settings.threads),
        }),
      },
      volumeClaimTemplates: [
        {
          metadata: { name: 'output' },
          spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage } } },
        },
      ],
    },
  };
}

interface Process {
  readonly args: readonly string[];
  readonly env?: readonly object[];
  /** Of gRPC; left out, it serves nothing, HTTP neither. */
  readonly port?: number | 'metrics only';
  readonly resources: object;
  readonly volumes?: readonly object[];
}

function podSpec(
  { config: { run, security }, secrets, placement: { image } }: PlacedRun,
  part: Part,
  { args, env = [], port, resources, volumes = [] }: Process,
): object {
  const scheme = security.tls ? 'HTTPS' : 'HTTP';
  const probe = (path: string) => ({
    httpGet: { path, port: 'metrics', scheme },
    periodSeconds: 10,
    timeoutSeconds: 5,
  });
  const writesOutput = part === 'feeder' || part === 'trainer';
  const hasSecrets = secrets.size > 0;
  return {
    automountServiceAccountToken: false,
    enableServiceLinks: false,
    terminationGracePeriodSeconds: graceSeconds,
    securityContext: {
      runAsNonRoot: true,
      runAsUser: user,
      runAsGroup: user,
      fsGroup: user,
      seccompProfile: { type: 'RuntimeDefault' },
    },
    containers: [
      {
        name: part,
        image,
        args,
        ...(env.length > 0 && { env }),
        ...(port !== undefined && {
          ports: [
            ...(port === 'metrics only' ? [] : [{ name: 'grpc', containerPort: port }]),
            { name: 'metrics', containerPort: ports.metrics },
          ],
          // The model is loaded before /readyz says yes, and /healthz answers meanwhile.
          livenessProbe: { ...probe('/healthz'), initialDelaySeconds: 30, failureThreshold: 6 },
          readinessProbe: probe('/readyz'),
        }),
        resources,
        securityContext: {
          allowPrivilegeEscalation: false,
          readOnlyRootFilesystem: true,
          capabilities: { drop: ['ALL'] },
        },
        volumeMounts: [
          { name: 'config', mountPath: '/etc/fusemesh', readOnly: true },
          ...(hasSecrets ? [{ name: 'secrets', mountPath: places.secrets, readOnly: true }] : []),
          { name: 'data', mountPath: places.data, readOnly: true },
          { name: 'tmp', mountPath: '/tmp' },
          ...(writesOutput ? [{ name: 'output', mountPath: places.output }] : []),
        ],
      },
    ],
    volumes: [
      { name: 'config', configMap: { name: configName(run) } },
      ...(hasSecrets ? [{ name: 'secrets', secret: { secretName: secretName(run) } }] : []),
      { name: 'data', persistentVolumeClaim: { claimName: dataClaim(run), readOnly: true } },
      { name: 'tmp', emptyDir: {} },
      ...volumes,
    ],
  };
}

/** Replicas are told apart by the addresses of their pods. */
function advertised(key: string, port: number): readonly object[] {
  const name = `FUSEMESH_${key.toUpperCase().replaceAll('.', '__')}__ADVERTISE`;
  return [
    { name: 'POD_IP', valueFrom: { fieldRef: { fieldPath: 'status.podIP' } } },
    { name, value: `$(POD_IP):${port}` },
  ];
}

/** What a process asks for to begin with; how much memory a model takes is to be measured. */
function resourcesOf(execution: string, threads: number): object {
  return {
    requests: { cpu: String(threads), memory: '2Gi' },
    limits: { memory: '8Gi', ...(execution === 'cuda' && { 'nvidia.com/gpu': '1' }) },
  };
}
