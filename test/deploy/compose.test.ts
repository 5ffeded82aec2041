import { spawnSync } from 'node:child_process';
import { access, cp, readFile, symlink } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { grafanaConfig } from '../../cli/observe/grafana-config.ts';
import { roomsOfProgram } from '../../deploy/image/program.ts';
import { cudaBuildFolder } from '../../model/runtime/cuda-build.ts';
import project from '../../package.json' with { type: 'json' };
import { textsOf } from '../../process/config/corpus-of-run.ts';
import { loadRunConfig } from '../../process/config/load-config.ts';
import { sourcesOf } from '../../process/config/run-sources.ts';
import { runConfigSchema } from '../../process/config/schema.ts';
import { ownVersion } from '../../process/lifecycle/own-version.ts';
import { runCommand } from '../end-to-end/command.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { entryOfCheckout } from '../translated/entry.ts';
import { composeSchema, gpuOverrideSchema, interpolated, servedOverrideSchema } from './compose-schema.ts';
import { findProgram } from './find-program.ts';

const deploy = fileURLToPath(new URL('../../deploy', import.meta.url));
const readYaml = async (file: string): Promise<unknown> =>
  parse(await readFile(join(deploy, file), 'utf8'), { merge: true });

const { services, volumes } = composeSchema.parse(await readYaml('compose.yaml'));
const run = runConfigSchema.parse(await readYaml('run.yaml'));
const onPolicyRun = runConfigSchema.parse(await readYaml('on-policy.yaml'));
const ours = Object.entries(services).filter(([, { image }]) => image === 'fusemesh');
const dockerfile = await readFile(join(deploy, 'Dockerfile'), 'utf8');
/** The stages of the image, in their order. */
const stages = dockerfile
  .split(/^(?=FROM )/m)
  .slice(1)
  .map((text) => ({ name: /^FROM \S+ AS (\S+)/.exec(text)?.[1], text }));
/** The folders of the program, all of which an image has. */
const rooms = [
  ...['errors', 'numbers', 'process', 'wire', 'model', 'engine', 'texts', 'fusion', 'services'],
  ...['trainer', 'page', 'cli'],
];
const hostOf = (address: string): string => address.slice(0, address.lastIndexOf(':'));
const natsServer = findProgram('nats-server');
const configurationOfNats = services['nats'].volumes
  .filter((volume) => volume.startsWith('./'))
  .map((volume) => volume.slice(2, volume.indexOf(':')));
/** Every teacher of the run, the frozen copy of the target included. */
const teachers = sourcesOf(run);

describe('deploy/compose.yaml', () => {
  it('starts what others wait for, with a health check where they wait for health', () => {
    for (const [name, { depends_on }] of Object.entries(services)) {
      for (const [needed, { condition }] of Object.entries(depends_on)) {
        expect(services, name).toHaveProperty(needed);
        if (condition === 'service_healthy') expect(services[needed].healthcheck, needed).toBeDefined();
      }
    }
  });

  it('asks every process of ours that is waited for whether it is ready, at the port of its metrics', () => {
    for (const { address, metricsPort } of [...teachers, run.trainer]) {
      const { healthcheck } = services[hostOf(address)];
      expect(JSON.stringify(healthcheck), address).toContain(`:${metricsPort}/readyz`);
    }
  });

  it('mounts files that exist and volumes that are declared, in every profile', async () => {
    for (const COMPOSE_PROFILES of ['', 'on-policy']) {
      const mounted = Object.values(services).flatMap((service) => service.volumes);
      for (const [source] of mounted.map((volume) => interpolated(volume, { COMPOSE_PROFILES }).split(':'))) {
        if (source.startsWith('.')) await access(join(deploy, source));
        else expect(volumes).toHaveProperty(source);
      }
    }
  });

  it('takes images of others by their digest', () => {
    const others = Object.values(services).filter(({ image }) => image !== 'fusemesh');
    expect(others).toHaveLength(4);
    for (const { image } of others) expect(image).toMatch(/^[\w/-]+:v?\d[\w.-]+@sha256:[0-9a-f]{64}$/);
  });

  it('lets each process into NATS as its own kind, and nobody without a password', async () => {
    const kinds: Readonly<Record<string, string>> = {
      teacher: 'teacher',
      feed: 'feeder',
      trainer: 'trainer',
      target: 'target',
      rollout: 'rollout',
    };
    for (const [name, { command, environment }] of ours) {
      const kind = kinds[command![0]];
      expect(environment?.['NATS_USER'], name).toBe(kind);
      const password = `\${FUSEMESH_${kind.toUpperCase()}_PASSWORD:?run deploy/passwords.sh first}`;
      expect(environment?.['NATS_PASSWORD'], name).toBe(password);
    }
    const accounts = await readFile(join(deploy, 'nats-accounts.conf'), 'utf8');
    const asked = [...accounts.matchAll(/password: \$(\w+)/g)].map(([, name]) => name).sort();
    expect(Object.keys(services['nats'].environment ?? {}).sort()).toEqual(asked);
  });

  it.skipIf(natsServer === undefined)(
    'starts NATS with a configuration and passwords that it takes',
    async () => {
      const folder = await temporaryDirectory();
      for (const name of ['passwords.sh', ...configurationOfNats])
        await cp(join(deploy, name), join(folder, name));
      const made = spawnSync('sh', [join(folder, 'passwords.sh')], { encoding: 'utf8' });
      expect(made.status, made.stderr).toBe(0);
      const passwords = Object.fromEntries(
        (await readFile(join(folder, '.env'), 'utf8'))
          .trim()
          .split('\n')
          .map((line) => line.split('=')),
      );
      expect(Object.keys(passwords).sort()).toEqual(Object.keys(services['nats'].environment ?? {}).sort());
      const config = ['--config', join(folder, 'nats-compose.conf'), '-t'];
      const checked = spawnSync(natsServer!, config, { encoding: 'utf8', env: passwords });
      expect(checked.stderr).toContain('is valid');
      // A second call changes nothing.
      spawnSync('sh', [join(folder, 'passwords.sh')]);
      expect(await readFile(join(folder, '.env'), 'utf8')).toContain(passwords['FUSEMESH_TEACHER_PASSWORD']);
    },
  );

  it('has the profile on-policy start who serves the target and who has it write, over the same run', () => {
    const { service, ...target } = onPolicyRun.target;
    const { output } = onPolicyRun.trainer;
    const { onPolicy } = onPolicyRun;
    const changed = { run: 'compose-on-policy', onPolicy, trainer: { ...run.trainer, output } };
    expect({ ...onPolicyRun, target }).toEqual({ ...run, ...changed });
    expect(onPolicy).toBeDefined();
    expect(output).not.toBe(run.trainer.output);
    expect(services[hostOf(service!.address)].command).toEqual(['target', 'deploy/run.yaml']);
    expect(services['rollout'].command?.slice(0, 2)).toEqual(['rollout', 'deploy/run.yaml']);
    const started = Object.entries(services).filter(([, { profiles }]) => profiles?.includes('on-policy'));
    expect(started.map(([host]) => host)).toEqual(['target-service', 'rollout']);
    for (const [host, { healthcheck }] of started) {
      expect(JSON.stringify(healthcheck), host).toContain(`:${service!.httpPort}/readyz`);
    }
  });

  it('runs each teacher, the feeder and the trainer of the run at the host that the run file names', () => {
    for (const { name, address } of teachers) {
      expect(services[hostOf(address)].command, name).toEqual(['teacher', 'deploy/run.yaml', name]);
    }
    expect(services[hostOf(run.trainer.address)].command).toEqual(['trainer', 'deploy/run.yaml']);
    expect(services['feeder'].command).toEqual(['feed', 'deploy/run.yaml']);
    expect(services).toHaveProperty(new URL(run.nats.url).hostname);
  });

  it('mounts every file of the run, and a volume where the trainer writes', async () => {
    const texts = [...textsOf(run), ...run.heldOut].map(({ path }) => path);
    const models = [...run.teachers.map(({ model }) => model), run.target.model];
    for (const path of [...texts, ...models]) {
      expect(path).toMatch(/^\.\.\/examples\/zoo\//);
      await access(join(deploy, String(path)));
    }
    for (const name of ['trainer', 'feeder']) {
      const written = services[name].volumes.map((volume) => interpolated(volume).split(':')[1]);
      for (const { output } of [run.trainer, onPolicyRun.trainer]) {
        expect(written.some((folder) => output.startsWith(`${folder}/`))).toBe(true);
      }
    }
  });

  it('shows the page of the trainer to this machine, and its metrics to Prometheus', () => {
    expect(services['trainer'].ports).toEqual([
      `127.0.0.1:${run.trainer.metricsPort}:${run.trainer.metricsPort}`,
    ]);
  });

  it('has Grafana begin with the dashboard of the run', async () => {
    const home = services['grafana'].environment?.['GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH'];
    expect(home).toBe('/var/lib/grafana/dashboards/fusemesh-run.json');
    expect(services['grafana'].volumes).toContain('./grafana/dashboards:/var/lib/grafana/dashboards:ro');
    await access(join(deploy, 'grafana/dashboards/fusemesh-run.json'));
  });

  it('lets nothing call home: neither ONNX Runtime, nor Grafana, which is set as by `fusemesh observe`', () => {
    expect(ours).toHaveLength(teachers.length + 4);
    for (const [, { environment }] of ours)
      expect(environment?.['ORT_DISABLE_TELEMETRY']).toMatch(/ORT_DISABLE_TELEMETRY:-1\}$/);

    const files = grafanaConfig({ directory: '', port: 0, prometheus: '', dashboards: undefined });
    const [, ...sections] = new Map(files).get('grafana.ini')!.split(/^\[(.*)\]$/m);
    for (const name of ['analytics', 'news', 'security', 'snapshots', 'plugins']) {
      const settings = sections[sections.indexOf(name) + 1].trim().split('\n');
      for (const [key, value] of settings.map((line) => line.split(' = '))) {
        const variable = `GF_${name}_${key}`.toUpperCase();
        expect(services['grafana'].environment?.[variable], variable).toBe(value);
      }
    }
  });
});

describe('deploy/compose.cuda.yaml', async () => {
  const onGpu = gpuOverrideSchema.parse(await readYaml('compose.cuda.yaml')).services;

  it.each([...teachers, run.trainer].map(({ address }) => hostOf(address)))(
    'lays a GPU and its image over %s, which then computes there',
    async (host) => {
      const { image, build, environment } = onGpu[host];
      expect(stages.map(({ name }) => name)).toContain(build.target);
      expect(image).not.toBe(services[host].image);
      const config = await loadRunConfig(join(deploy, 'run.yaml'), { environment });
      const [process, ...others] = [...sourcesOf(config), config.trainer].sort(
        (a, b) => Number(hostOf(b.address) === host) - Number(hostOf(a.address) === host),
      );
      expect(hostOf(process.address)).toBe(host);
      expect(process.execution).toBe('cuda');
      expect(new Set(others.map(({ execution }) => execution))).toEqual(new Set(['cpu']));
    },
  );

  it('has nothing that the other file does not start', () => {
    for (const host of Object.keys(onGpu)) expect(services).toHaveProperty(host);
  });
});

describe('deploy/compose.served.yaml', async () => {
  const { vllm, ...laidOver } = servedOverrideSchema.parse(await readYaml('compose.served.yaml')).services;
  const configOf = (host: string) =>
    loadRunConfig(join(deploy, 'run.yaml'), { environment: laidOver[host].environment });

  it('has the first teacher ask the server that it starts, for as many candidates as that gives', async () => {
    const { teachers, topK } = await configOf('orator');
    const [{ served, tokenizer, address }] = teachers;
    expect(hostOf(address)).toBe('orator');
    expect(served).toMatchObject({ url: 'http://vllm:8000', api: 'vllm', model: 'orator' });
    expect(vllm.command).toContain(`--served-model-name=${served?.model}`);
    expect(vllm.command).toContain(`--max-logprobs=${topK}`);
    await access(join(deploy, '..', String(tokenizer).replace(/^\/app\//, ''), 'tokenizer.json'));
  });

  it('leaves room for the token that is generated, in every process of the run', async () => {
    const length = Number(vllm.command.find((flag) => flag.startsWith('--max-model-len='))?.split('=')[1]);
    for (const host of [...teachers, run.trainer].map(({ address }) => hostOf(address)).concat('feeder')) {
      expect((await configOf(host)).contextLength, host).toBe(length - 1);
    }
  });

  it('lays nothing over what the other file does not start', () => {
    for (const host of Object.keys(laidOver)) expect(services).toHaveProperty(host);
  });
});

describe('deploy/Dockerfile', () => {
  it('keeps no test and no development tool in the image, and every room that the command imports', async () => {
    const program = stages.find(({ name }) => name === 'program')!.text;
    const copied = [...program.matchAll(/^COPY (\S+) \1$/gm)].map(([, folder]) => folder);
    expect([...roomsOfProgram].sort()).toEqual([...rooms].sort());
    const beside = ['deploy/image', 'deploy/prometheus', 'deploy/grafana/dashboards'];
    expect(copied.sort()).toEqual([...rooms, ...beside].sort());
    const ignored = await readFile(join(deploy, 'Dockerfile.dockerignore'), 'utf8');
    for (const folder of copied) expect(ignored).toContain(`!${folder}\n`);
  });

  it('begins with images by their digest, and says what it is', () => {
    for (const name of ['NODE', 'DEBIAN']) {
      expect(dockerfile).toMatch(new RegExp(`^ARG ${name}=[a-z]+:\\d*[\\w.-]+@sha256:[0-9a-f]{64}$`, 'm'));
    }
    for (const { text } of stages.filter(({ text }) => text.includes('ENTRYPOINT'))) {
      const label = (name: string) =>
        new RegExp(`org\\.opencontainers\\.image\\.${name}="([^"]+)"`).exec(text)?.[1];
      expect(label('version')).toBe(project.version);
      expect(label('description')).toBe(project.description);
      expect(label('licenses')).toBe(project.license);
    }
  });

  it('builds the image without a GPU where no target is named, and copies from stages that it has', () => {
    expect(stages.at(-1)?.name).toBe('cpu');
    expect(services['trainer'].build?.target).toBe('cpu');
    const names = stages.map(({ name }) => name);
    for (const [, from] of dockerfile.matchAll(/--from=(\S+)/g)) expect(names).toContain(from);
    const programs = stages.filter(({ text }) => text.includes('ENTRYPOINT'));
    expect(programs.map(({ name }) => name)).toEqual(['cuda', 'cpu']);
    for (const { name, text } of programs) {
      for (const part of ['packages', 'program'])
        expect(text, name).toContain(`COPY --from=program /out/${part} ./`);
      expect(text).toContain('USER 1000:1000');
      expect(text).toMatch(/^ENV .*\bORT_DISABLE_TELEMETRY=1$/m);
    }
  });

  it('has the build of ONNX Runtime for the CUDA that is in the image, where the program looks for it', () => {
    const installed = /npm run cuda -- --cuda (\d+)$/m.exec(dockerfile)?.[1];
    expect(/^FROM nvidia\/cuda:(\d+)\./m.exec(dockerfile)?.[1]).toBe(installed);
    const folder = relative(join(deploy, '..'), cudaBuildFolder);
    expect(stages.find(({ name }) => name === 'cuda')!.text).toContain(
      `COPY --from=cuda-build /app/${folder} ${folder}\n`,
    );
  });

  it('copies for `npm run cuda` all that it imports, and lets it into the context', async () => {
    const { text } = stages.find(({ name }) => name === 'cuda-build')!;
    const copied = [...text.matchAll(/^COPY (\S+) \1$/gm)].map(([, path]) => path);
    const ignored = (await readFile(join(deploy, 'Dockerfile.dockerignore'), 'utf8')).split('\n');
    const tree = await temporaryDirectory();
    for (const path of copied) {
      expect(ignored.some((line) => line.startsWith('!') && `${path}/`.startsWith(`${line.slice(1)}/`))).toBe(
        true,
      );
      await cp(join(deploy, '..', path), join(tree, path), { recursive: true });
    }
    for (const name of ['package.json', 'package-lock.json']) {
      await cp(join(deploy, '..', name), join(tree, name));
    }
    await symlink(join(deploy, '../node_modules'), join(tree, 'node_modules'));
    const cuda = spawnSync(
      process.execPath,
      [join(tree, 'scripts/cuda.mjs'), '--cuda', '12', '--from', 'x'],
      {
        encoding: 'utf8',
      },
    );
    expect(cuda.stderr).toMatch(/^fusemesh: --from is for CUDA 13: see npm run cuda -- --help$/m);
    expect(cuda.status).toBe(2);
  });
});

it('the command starts where no temporary directory can be written to', { timeout: 120_000 }, async () => {
  const { code, stdout, stderr } = await runCommand(
    ['--version'],
    { TMPDIR: '/dev/null/tmp' },
    { from: entryOfCheckout },
  );
  expect([code, stdout.trim(), stderr]).toEqual([0, ownVersion, '']);
});

describe('deploy/prometheus/prometheus.yml', () => {
  it('scrapes each process, and NATS, and has its rules mounted', async () => {
    const file = (await readYaml('prometheus/prometheus.yml')) as {
      rule_files: string[];
      scrape_configs: {
        static_configs?: { targets: string[] }[];
        dns_sd_configs?: { names: string[]; port: number }[];
      }[];
    };
    for (const rules of file.rule_files) {
      expect(services['prometheus'].volumes).toContain(`./prometheus/${rules}:/etc/prometheus/${rules}:ro`);
    }
    const targets = file.scrape_configs.flatMap(({ static_configs = [] }) =>
      static_configs.flatMap(({ targets }) => targets),
    );
    const expected = [...teachers, run.trainer].map(
      ({ address, metricsPort }) => `${hostOf(address)}:${metricsPort}`,
    );
    expect(targets.sort()).toEqual([...expected, 'nats-exporter:7777'].sort());
    // By name where nobody may have it: a profile that is off is no process that is down.
    const sought = file.scrape_configs.flatMap(({ dns_sd_configs = [] }) =>
      dns_sd_configs.flatMap(({ names, port }) => names.map((name) => `${name}:${port}`)),
    );
    const { address, httpPort } = onPolicyRun.target.service!;
    expect(sought).toEqual([`${hostOf(address)}:${httpPort}`, 'rollout:9464']);
    expect(services['rollout'].command).toContain('0.0.0.0:9464');
  });

  it('is what Grafana’s data source points to', async () => {
    const { datasources } = (await readYaml('grafana/provisioning/datasources/prometheus.yaml')) as {
      datasources: { url: string; type: string }[];
    };
    expect(datasources).toHaveLength(1);
    expect(datasources[0].type).toBe('prometheus');
    expect(services).toHaveProperty(new URL(datasources[0].url).hostname);
  });
});
