import { dirname, resolve } from 'node:path';
import { type Command, InvalidArgumentError } from 'commander';
import { stringify } from 'yaml';
import { runUntilStopped } from '../../process/lifecycle/run-until-stopped.ts';
import { monitoring, scaledObjects } from '../kubernetes/monitoring.ts';
import { disruptionBudgets, networkPolicies, services } from '../kubernetes/network.ts';
import { placeRun } from '../kubernetes/placed-run.ts';
import {
  configMap,
  feeder,
  onPolicyWorkloads,
  rolloutsClaim,
  secretName,
  teachers,
  trainer,
} from '../kubernetes/workloads.ts';
import { count } from '../option-values.ts';
import { type RunFileOptions, readRunFile, withRunFile } from '../run-file.ts';

interface KubernetesOptions extends RunFileOptions {
  readonly namespace: string;
  readonly image: string;
  readonly root?: string;
  readonly nats: string;
  readonly replicas?: ReadonlyMap<string, number>;
  readonly storage: string;
  readonly monitoring?: true;
  readonly keda?: number;
  readonly natsMonitor: string;
}

export function addKubernetes(program: Command): void {
  withRunFile(program.command('kubernetes'))
    .option('--namespace <name>', 'where all of it goes', 'fusemesh')
    .option('--image <name>', 'the image of every process', 'fusemesh:latest')
    .option(
      '--root <folder>',
      'what the volume of models and texts holds (default: the folder of the run file)',
    )
    .option(
      '--nats <url>',
      'where NATS is, for a run file that names one on this machine',
      'nats://nats:4222',
    )
    .option(
      '--replicas <name=count>',
      'processes of a source, of target-service or of rollout (repeatable)',
      replicasOf,
    )
    .option(
      '--storage <size>',
      'of the volume for checkpoints and the fused model, and of that for what the target writes',
      '20Gi',
    )
    .option('--monitoring', 'with PodMonitor, PrometheusRule and the dashboards of Grafana')
    .option('--keda <most>', 'with ScaledObjects that start up to so many processes of a source', count)
    .option('--nats-monitor <host:port>', "NATS's monitoring port, which KEDA asks", 'nats-headless:8222')
    .summary('what a cluster needs for a run')
    .description(
      'Prints, from the run file, what Kubernetes needs to run it: teachers as Deployments, and so the target service and ' +
        'the rollout workers of a run with onPolicy, the feeder as a Job, the ' +
        'trainer as a StatefulSet with its volume, and their Services, probes, budgets and network policies. Models ' +
        'and texts are in the claim RUN-data, secrets in the Secret RUN-secrets; docs/kubernetes.md begins at an ' +
        'empty cluster.',
    )
    .addHelpText(
      'after',
      '\nExample:\n  $ fusemesh kubernetes run.yaml --replicas orator=3 | kubectl apply --filename -',
    )
    .action((path: string, options: KubernetesOptions) => runUntilStopped(() => print(path, options)));
}

async function print(path: string, options: KubernetesOptions): Promise<void> {
  const { namespace, image, nats, replicas = new Map(), storage, keda, natsMonitor } = options;
  const root = resolve(options.root ?? dirname(path));
  const placed = placeRun(await readRunFile(path, options), { namespace, image, root, nats, replicas });
  const manifests = [
    configMap(placed),
    ...services(placed),
    ...teachers(placed),
    ...onPolicyWorkloads(placed),
    ...rolloutsClaim(placed, storage),
    feeder(placed),
    trainer(placed, storage),
    ...disruptionBudgets(placed),
    ...networkPolicies(placed),
    ...(options.monitoring ? await monitoring(placed) : []),
    ...(keda === undefined ? [] : scaledObjects(placed, { most: keda, monitor: natsMonitor })),
  ];
  const documents = manifests.map((manifest) =>
    stringify(manifest, { lineWidth: 0, aliasDuplicateObjects: false }),
  );
  const secrets = [...placed.secrets].map(([key, file]) => `--from-file=${key}=${file}`);
  const needed =
    secrets.length === 0
      ? ''
      : `# kubectl --namespace ${namespace} create secret generic ${secretName(placed.config.run)} ${secrets.join(' ')}\n`;
  process.stdout.write(`${needed}${documents.join('---\n')}`);
}

function replicasOf(
  text: string,
  before: ReadonlyMap<string, number> = new Map(),
): ReadonlyMap<string, number> {
  const [name, number, ...more] = text.split('=');
  if (!name || number === undefined || more.length > 0) throw new InvalidArgumentError('use NAME=COUNT');
  return new Map(before).set(name, count(number));
}
