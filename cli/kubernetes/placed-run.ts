import { isAbsolute, join, relative } from 'node:path';
import { FuseMeshError } from '../../errors/fusemesh-error.ts';
import { textsOf } from '../../process/config/corpus-of-run.ts';
import { sourcesOf } from '../../process/config/run-sources.ts';
import { type RunConfig, runConfigSchema } from '../../process/config/schema.ts';
import { hostOfAddress, isLoopbackHost } from '../../process/security/loopback.ts';

/** Where things are in a container. */
export const places = {
  config: '/etc/fusemesh/run.yaml',
  secrets: '/etc/fusemesh-secrets',
  data: '/data',
  output: '/var/lib/fusemesh',
} as const;
/** Ports of every process. */
export const ports = { teacher: 50051, target: 50052, trainer: 50050, metrics: 9464 } as const;

/** What is asked for beside the run file. */
export interface Placement {
  readonly namespace: string;
  readonly image: string;
  /** The folder on this machine whose contents the volume with models and texts holds. */
  readonly root: string;
  /** Where NATS is, for a run file that names one on this machine. */
  readonly nats: string;
  /** How many processes a source has, by its name, and those of {@link scaledParts}; 1 where it is left out. */
  readonly replicas: ReadonlyMap<string, number>;
}

/** A run as its processes are to read it in a cluster. */
export interface PlacedRun {
  readonly config: RunConfig;
  /** Files of the run file that hold secrets and certificates, by their key in the Secret. */
  readonly secrets: ReadonlyMap<string, string>;
  readonly placement: Placement;
}

/** What a source is called in the cluster: its Deployment, and its Service, at which it is called. */
export const teacherName = (run: string, source: string): string => `${run}-teacher-${source}`;
export const targetName = (run: string): string => `${run}-target-service`;
export const workerName = (run: string): string => `${run}-rollout`;
export const trainerName = (run: string): string => `${run}-trainer`;

/** What can have replicas beside the sources, by what --replicas calls it. */
export const scaledParts = { targetService: 'target-service', rollout: 'rollout' } as const;

/**
 * Puts a run into a cluster: every process listens on all interfaces of its pod and is called by its Service, paths are
 * those of the volumes, and secrets are files of one Secret.
 *
 * @param config as it was read here: its paths are absolute
 * @throws FuseMeshError invalid_argument where a path lies outside of `root`, or pods would be open in plain text
 */
export function placeRun(config: RunConfig, placement: Placement): PlacedRun {
  refuseUnplaceable(config, placement);
  const placed = structuredClone(config);
  const secrets = new Map<string, string>();
  const secret = (key: string, file: string | undefined): string | undefined => {
    if (file === undefined) return undefined;
    secrets.set(key, file);
    return join(places.secrets, key);
  };
  const inData = (path: string): string => {
    const inside = relative(placement.root, path);
    if (!inside.startsWith('..') && !isAbsolute(inside)) return join(places.data, inside);
    throw new FuseMeshError(
      'invalid_argument',
      `${path} lies outside of ${placement.root}, which is what the volume of models and texts holds: move it there, or set --root`,
    );
  };

  const { nats, security, trainer, target } = placed;
  if (nats.url.split(',').every((url) => isLoopbackHost(hostOfAddress(url.replace(/^\w+:\/\//, ''))))) {
    nats.url = placement.nats;
  }
  nats.passwordFile = secret('nats-password', nats.passwordFile);
  nats.tokenFile = secret('nats-token', nats.tokenFile);
  nats.credentialsFile = secret('nats-credentials', nats.credentialsFile);
  if (nats.tls) {
    nats.tls.ca = secret('nats-ca', nats.tls.ca);
    nats.tls.certificate = secret('nats-certificate', nats.tls.certificate);
    nats.tls.key = secret('nats-key', nats.tls.key);
  }
  security.tokenFile = secret('token', security.tokenFile);
  if (security.tls) {
    security.tls.certificate = secret('certificate', security.tls.certificate);
    security.tls.key = secret('key', security.tls.key);
    security.tls.ca = secret('ca', security.tls.ca);
  }
  const { prompts = [] } = placed.onPolicy ?? {};
  for (const text of [...textsOf(placed), ...prompts, ...placed.heldOut]) text.path = inData(text.path);
  for (const teacher of placed.teachers) {
    const { name, served } = teacher;
    if (teacher.model !== undefined) teacher.model = inData(teacher.model);
    if (teacher.tokenizer !== undefined) teacher.tokenizer = inData(teacher.tokenizer);
    if (teacher.chatTemplate !== undefined) teacher.chatTemplate = inData(teacher.chatTemplate);
    if (served?.apiKeyFile) served.apiKeyFile = secret(`api-key-${name}`, served.apiKeyFile);
    if (served?.tls) served.tls.ca = secret(`api-ca-${name}`, served.tls.ca)!;
    Object.assign(teacher, listening(teacherName(placed.run, name), ports.teacher));
  }
  target.model = inData(target.model);
  if (target.chatTemplate !== undefined) target.chatTemplate = inData(target.chatTemplate);
  if (target.source) {
    Object.assign(target.source, listening(teacherName(placed.run, target.source.name), ports.teacher));
  }
  if (target.service) {
    const { metricsPort: httpPort, ...where } = listening(targetName(placed.run), ports.target);
    Object.assign(target.service, { ...where, httpPort, device: 0 });
  }
  Object.assign(trainer, listening(trainerName(placed.run), ports.trainer));
  trainer.output = join(places.output, 'output');
  // Each pod has the GPUs that it was given, from 0 on.
  for (const process of [...placed.teachers, ...(target.source ? [target.source] : []), trainer]) {
    process.device = 0;
  }
  return { config: runConfigSchema.parse(placed), secrets, placement };
}

const listening = (host: string, port: number) => ({
  address: `${host}:${port}`,
  listen: `0.0.0.0:${port}`,
  advertise: undefined,
  metricsPort: ports.metrics,
});

function refuseUnplaceable(config: RunConfig, { replicas }: Placement): void {
  const sources = sourcesOf(config).map(({ name }) => name);
  const names = [
    ...sources,
    ...(config.target.service ? [scaledParts.targetService] : []),
    ...(config.onPolicy ? [scaledParts.rollout] : []),
  ];
  const refuse = (message: string): never => {
    throw new FuseMeshError('invalid_argument', message);
  };
  for (const [name, count] of replicas) {
    if (!names.includes(name)) refuse(`--replicas ${name}=${count}: there are ${names.join(', ')}`);
    if (count > 1 && config.security.tls && name !== scaledParts.rollout) {
      refuse(
        `--replicas ${name}=${count}: replicas are called by the addresses of their pods, which no certificate of security.tls names: keep one, or leave TLS to the network of the cluster`,
      );
    }
  }
  if (!config.security.tls && !config.security.insecure) {
    refuse(
      'Pods are reached from other machines: set security.tls with certificates for the Services, or security.insecure: true where the network policies are enough',
    );
  }
  const longest = Math.max(
    ...sources.map((name) => teacherName(config.run, name).length),
    targetName(config.run).length,
  );
  if (longest > 63)
    refuse(`A Service would have a name of ${longest} letters, and 63 are the most: take shorter names`);
}
