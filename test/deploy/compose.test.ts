import { spawnSync } from 'node:child_process';
import { access, cp, readFile, symlink } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { grafanaConfig } from '../../cli/observe/grafana-config.ts';
import { cudaBuildFolder } from '../../model/runtime/cuda-build.ts';
import { textsOf } from '../../process/config/corpus-of-run.ts';
import { loadRunConfig } from '../../process/config/load-config.ts';
import { sourcesOf } from '../../process/config/run-sources.ts';
import { runConfigSchema } from '../../process/config/schema.ts';
import { ownVersion } from '../../process/lifecycle/own-version.ts';
import { runCommand } from '../end-to-end/command.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { composeSchema, gpuOverrideSchema, servedOverrideSchema } from './compose-schema.ts';

const deploy = fileURLToPath(new URL('../../deploy', import.meta.url));
const readYaml = async (file: string): Promise<unknown> =>
  parse(await readFile(join(deploy, file), 'utf8'), { merge: true });

const { services, volumes } = composeSchema.parse(await readYaml('compose.yaml'));
const run = runConfigSchema.parse(await readYaml('run.yaml'));
const dockerfile = await readFile(join(deploy, 'Dockerfile'), 'utf8');
/** The stages of the image, in their order. */
const stages = dockerfile
  .split(/^(?=FROM )/m)
  .slice(1)
  .map((text) => ({ name: /^FROM \S+ AS (\S+)/.exec(text)?.[1], text }));
const hostOf = (address: string): string => address.slice(0, address.lastIndexOf(':'));
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

  it('gives every process of ours a file system that nobody writes to, and no capabilities', () => {
    const ours = Object.values(services).filter(({ image }) => image === 'fusemesh');
    for (const service of ours) expect(service).toMatchObject({ read_only: true, cap_drop: ['ALL'] });
  });

  it('mounts files that exist and volumes that are declared', async () => {
    for (const [source] of Object.values(services).flatMap((service) =>
      service.volumes.map((volume) => volume.split(':')),
    )) {
      if (source.startsWith('.')) await access(join(deploy, source));
      else expect(volumes).toHaveProperty(source);
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
    const written = services['trainer'].volumes.map((volume) => volume.split(':')[1]);
    expect(written.some((folder) => run.trainer.output.startsWith(`${folder}/`))).toBe(true);
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
    const ours = Object.values(services).filter(({ image }) => image === 'fusemesh');
    expect(ours).toHaveLength(teachers.length + 2);
    for (const { environment } of ours)
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
  const { vllm, ...ours } = servedOverrideSchema.parse(await readYaml('compose.served.yaml')).services;
  const configOf = (host: string) =>
    loadRunConfig(join(deploy, 'run.yaml'), { environment: ours[host].environment });

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
    for (const host of Object.keys(ours)) expect(services).toHaveProperty(host);
  });
});

describe('deploy/Dockerfile', () => {
  it('keeps no test and no development tool in the image, and every room that the command imports', async () => {
    const program = stages.find(({ name }) => name === 'program')!.text;
    const copied = [...program.matchAll(/^COPY (\S+) \1$/gm)].map(([, folder]) => folder);
    const rooms = [
      'process',
      'wire',
      'model',
      'engine',
      'texts',
      'fusion',
      'services',
      'trainer',
      'page',
      'cli',
    ];
    expect(copied.sort()).toEqual(['errors', 'numbers', ...rooms].sort());
    const ignored = await readFile(join(deploy, 'Dockerfile.dockerignore'), 'utf8');
    for (const folder of copied) expect(ignored).toContain(`!${folder}\n`);
  });

  it('builds the image without a GPU where no target is named, and copies from stages that it has', () => {
    expect(stages.at(-1)?.name).toBe('cpu');
    expect(services['trainer'].build?.target).toBe('cpu');
    const names = stages.map(({ name }) => name);
    for (const [, from] of dockerfile.matchAll(/--from=(\S+)/g)) expect(names).toContain(from);
    const programs = stages.filter(({ text }) => text.includes('ENTRYPOINT'));
    expect(programs.map(({ name }) => name)).toEqual(['cuda', 'cpu']);
    for (const { name, text } of programs) {
      expect(text).toContain('COPY --from=program / ./');
      expect(text).toContain('USER 1000:1000');
      expect(name === 'cpu' ? stages[0].text : text).toMatch(/^ENV .*\bORT_DISABLE_TELEMETRY=1$/m);
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
  const { code, stdout, stderr } = await runCommand(['--version'], { TMPDIR: '/dev/null/tmp' });
  expect([code, stdout.trim(), stderr]).toEqual([0, ownVersion, '']);
});

describe('deploy/prometheus/prometheus.yml', () => {
  it('scrapes each teacher and the trainer, and has its rules mounted', async () => {
    const file = (await readYaml('prometheus/prometheus.yml')) as {
      rule_files: string[];
      scrape_configs: { static_configs: { targets: string[] }[] }[];
    };
    for (const rules of file.rule_files) {
      expect(services['prometheus'].volumes).toContain(`./prometheus/${rules}:/etc/prometheus/${rules}:ro`);
    }
    const targets = file.scrape_configs.flatMap(({ static_configs }) =>
      static_configs.flatMap(({ targets }) => targets),
    );
    const expected = [...teachers, run.trainer].map(
      ({ address, metricsPort }) => `${hostOf(address)}:${metricsPort}`,
    );
    expect(targets.sort()).toEqual(expected.sort());
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
