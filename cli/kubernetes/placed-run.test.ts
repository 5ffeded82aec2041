import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import { loadRunConfig } from '../../process/config/load-config.ts';
import { sourcesOf } from '../../process/config/run-sources.ts';
import { type RunConfig, runConfigSchema } from '../../process/config/schema.ts';
import { temporaryDirectory } from '../../test/support/temporary-directory.ts';
import type { Manifest } from './manifest.ts';
import { monitoring, scaledObjects } from './monitoring.ts';
import { disruptionBudgets, networkPolicies, services } from './network.ts';
import { type Placement, placeRun } from './placed-run.ts';
import { configMap, feeder, onPolicyWorkloads, rolloutsClaim, teachers, trainer } from './workloads.ts';

const config = (changes: object = {}): RunConfig =>
  runConfigSchema.parse({
    run: 'demo',
    contextLength: 128,
    corpus: [{ domain: 'fiction', path: '/home/me/run/texts/fiction.txt' }],
    security: { tokenFile: '/home/me/token', tls: { certificate: '/c.pem', key: '/k.pem', ca: '/ca.pem' } },
    teachers: [
      {
        name: 'orator',
        address: 'gpu-1:50051',
        model: '/home/me/run/models/orator',
        execution: 'cuda',
        device: 3,
      },
      { name: 'sage', address: 'gpu-2:50051', model: '/home/me/run/models/sage', threads: 4 },
    ],
    target: { model: '/home/me/run/models/target', source: { address: 'gpu-2:50052' } },
    trainer: { output: '/home/me/out' },
    ...changes,
  });
const placement: Placement = {
  namespace: 'mesh',
  image: 'registry/fusemesh:1',
  root: '/home/me/run',
  nats: 'nats://nats:4222',
  replicas: new Map(),
};

describe('the run file of the cluster', () => {
  it('is one that every process reads back: paths of the volumes, Services as addresses, secrets as mounted files', async () => {
    const { data } = configMap(placeRun(config(), placement)) as unknown as { data: Record<string, string> };
    const path = join(await temporaryDirectory(), 'run.yaml');
    await writeFile(path, data['run.yaml']);
    const read = await loadRunConfig(path, { environment: {} });
    expect(read).toMatchObject({
      nats: { url: 'nats://nats:4222' },
      security: { tokenFile: '/etc/fusemesh-secrets/token', tls: { ca: '/etc/fusemesh-secrets/ca' } },
      corpus: [{ path: '/data/texts/fiction.txt' }],
      teachers: [
        {
          address: 'demo-teacher-orator:50051',
          listen: '0.0.0.0:50051',
          model: '/data/models/orator',
          metricsPort: 9464,
          device: 0,
        },
        { address: 'demo-teacher-sage:50051', threads: 4 },
      ],
      target: { model: '/data/models/target', source: { address: 'demo-teacher-target:50051' } },
      trainer: { address: 'demo-trainer:50050', listen: '0.0.0.0:50050', output: '/var/lib/fusemesh/output' },
    });
    const [command] = containersOf(teachers(placeRun(config(), placement)));
    const advertise = await loadRunConfig(path, {
      environment: { [command.env[1].name]: command.env[1].value.replace('$(POD_IP)', '10.1.2.3') },
    });
    expect(advertise.teachers[0].advertise).toBe('10.1.2.3:50051');
  });

  it.each([
    ['a model elsewhere', {}, { root: '/home/me/other' }, 'lies outside of /home/me/other'],
    ['plain text', { security: {} }, {}, 'security.insecure: true'],
    ['replicas behind certificates', {}, { replicas: new Map([['sage', 2]]) }, 'no certificate'],
    ['replicas of nobody', {}, { replicas: new Map([['seer', 2]]) }, 'there are orator, sage, target'],
  ])('cannot have %s', (_, changes, placed, message) => {
    expect(() => placeRun(config(changes), { ...placement, ...placed })).toThrow(message);
  });
});

describe('the objects', async () => {
  const placed = placeRun(config({ security: { insecure: true } }), {
    ...placement,
    replicas: new Map([['orator', 3]]),
  });
  const deployments = teachers(placed);
  const all: Manifest[] = [
    configMap(placed),
    ...services(placed),
    ...deployments,
    feeder(placed),
    trainer(placed, '5Gi'),
    ...disruptionBudgets(placed),
    ...networkPolicies(placed),
    ...(await monitoring(placed)),
    ...scaledObjects(placed, { most: 4, monitor: 'nats-headless:8222' }),
  ];

  it('start each process with what the command line takes', () => {
    const started = containersOf([...deployments, feeder(placed), trainer(placed, '5Gi')]).map(
      ({ args }) => args,
    );
    const file = '/etc/fusemesh/run.yaml';
    expect(started).toEqual([
      ...sourcesOf(placed.config).map(({ name }) => ['teacher', file, name]),
      ['feed', file, '--until-over'],
      ['trainer', file, '--stay'],
    ]);
    expect(deployments.map(({ spec }) => (spec as { replicas: number }).replicas)).toEqual([3, 1, 1]);
  });

  it('give a GPU to what computes on one, and a file system that nobody writes to, to all', () => {
    const containers = containersOf([...deployments, feeder(placed), trainer(placed, '5Gi')]);
    expect(containers.map(({ resources }) => resources.limits['nvidia.com/gpu'])).toEqual([
      '1',
      ...Array.from({ length: 4 }, () => undefined),
    ]);
    for (const { securityContext, volumeMounts } of containers) {
      expect(securityContext).toMatchObject({
        readOnlyRootFilesystem: true,
        capabilities: { drop: ['ALL'] },
      });
      expect(volumeMounts.map(({ mountPath }) => mountPath)).toContain('/tmp');
    }
  });

  it('have names of their own, in one namespace, and Services that the run file calls', () => {
    const names = all.map(({ kind, metadata }) => `${kind}/${metadata.name}`);
    expect(new Set(names).size).toBe(names.length);
    expect(new Set(all.map(({ metadata }) => metadata.namespace))).toEqual(new Set(['mesh']));
    const called = [...sourcesOf(placed.config), placed.config.trainer].map(
      ({ address }) => address.split(':')[0],
    );
    expect(services(placed).map(({ metadata }) => metadata.name)).toEqual(called);
  });

  it('select pods that there are', () => {
    const podLabels = [...deployments, feeder(placed), trainer(placed, '5Gi')].map(
      ({ spec }) =>
        (spec as { template: { metadata: { labels: Record<string, string> } } }).template.metadata.labels,
    );
    const selectors = [
      ...services(placed).map(({ spec }) => (spec as { selector: Record<string, string> }).selector),
      ...networkPolicies(placed).map(
        ({ spec }) =>
          (spec as { podSelector: { matchLabels: Record<string, string> } }).podSelector.matchLabels,
      ),
    ];
    for (const selector of selectors) {
      const selected = podLabels.filter((labels) =>
        Object.entries(selector).every(([label, value]) => labels[label] === value),
      );
      expect(selected.length, JSON.stringify(selector)).toBeGreaterThan(0);
    }
  });

  it('are YAML that reads back as it was meant', () => {
    for (const manifest of all)
      expect(parse(stringify(manifest))).toEqual(JSON.parse(JSON.stringify(manifest)));
  });
});

interface Container {
  readonly args: readonly string[];
  readonly env: readonly { readonly name: string; readonly value: string }[];
  readonly resources: { readonly limits: Readonly<Record<string, string>> };
  readonly securityContext: object;
  readonly volumeMounts: readonly { readonly mountPath: string }[];
}

function containersOf(workloads: readonly Manifest[]): Container[] {
  return workloads.flatMap(
    ({ spec }) => (spec as { template: { spec: { containers: Container[] } } }).template.spec.containers,
  );
}

describe('a run whose target writes', () => {
  const placed = placeRun(
    config({
      target: { model: '/home/me/run/models/target', service: { address: '127.0.0.1:0', slots: 8 } },
      corpus: [],
      onPolicy: { prompts: [{ domain: 'asked', path: '/home/me/run/texts/asked.jsonl' }] },
      security: { insecure: true },
    }),
    { ...placement, replicas: new Map([['rollout', 3]]) },
  );

  it('has the target service where workers find it, as many workers as are asked for, and prompts in the volume', () => {
    const [target, worker] = onPolicyWorkloads(placed);
    expect(
      [target, worker].map(({ metadata, spec }) => [metadata.name, (spec as { replicas: number }).replicas]),
    ).toEqual([
      ['demo-target-service', 1],
      ['demo-rollout', 3],
    ]);
    expect(placed.config.target.service).toMatchObject({
      address: 'demo-target-service:50052',
      listen: '0.0.0.0:50052',
      httpPort: 9464,
    });
    expect(placed.config.onPolicy?.prompts[0].path).toBe('/data/texts/asked.jsonl');
    expect(stringify(worker)).toContain('0.0.0.0:9464');
    expect(services(placed).map(({ metadata }) => metadata.name)).toContain('demo-target-service');
    const policies = networkPolicies(placed).map(({ metadata }) => metadata.name);
    expect(policies).toEqual(expect.arrayContaining(['demo-target-service', 'demo-rollout']));
  });

  it('keeps what the target wrote on a volume of the feeder', () => {
    const [claim] = rolloutsClaim(placed, '5Gi');
    expect(claim.metadata.name).toBe('demo-rollouts');
    expect(stringify(feeder(placed))).toContain('claimName: demo-rollouts');
    expect(stringify(placed.config)).not.toContain('/home/me');
  });
});
