import { access, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { runConfigSchema } from '../../mesh/config/schema.ts';
import { composeSchema } from './compose-schema.ts';

const deploy = fileURLToPath(new URL('../../deploy', import.meta.url));
const readYaml = async (file: string): Promise<unknown> =>
  parse(await readFile(join(deploy, file), 'utf8'), { merge: true });

const { services, volumes } = composeSchema.parse(await readYaml('compose.yaml'));
const run = runConfigSchema.parse(await readYaml('run.yaml'));
const hostOf = (address: string): string => address.slice(0, address.lastIndexOf(':'));
/** Every teacher of the run, the frozen copy of the target included. */
const teachers = [...run.teachers, ...(run.target.source ? [run.target.source] : [])];

describe('deploy/compose.yaml', () => {
  it('starts what others wait for, with a health check where they wait for health', () => {
    for (const [name, { depends_on }] of Object.entries(services)) {
      for (const [needed, { condition }] of Object.entries(depends_on)) {
        expect(services, name).toHaveProperty(needed);
        if (condition === 'service_healthy') expect(services[needed].healthcheck, needed).toBeDefined();
      }
    }
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
    const texts = [...run.corpus, ...run.heldOut].map(({ path }) => path);
    const models = [...run.teachers.map(({ model }) => model), run.target.model];
    for (const path of [...texts, ...models]) {
      expect(path).toMatch(/^\.\.\/examples\/zoo\//);
      await access(join(deploy, String(path)));
    }
    const written = services['trainer'].volumes.map((volume) => volume.split(':')[1]);
    expect(written.some((folder) => run.trainer.output.startsWith(`${folder}/`))).toBe(true);
  });

  it('keeps no test and no development tool in the image, and every room that the command imports', async () => {
    const dockerfile = await readFile(join(deploy, 'Dockerfile'), 'utf8');
    const copied = [...dockerfile.matchAll(/^COPY (\S+) \1$/gm)].map(([, folder]) => folder);
    const rooms = ['cli', 'errors', 'mesh', 'model', 'numbers', 'page', 'services', 'texts', 'trainer'];
    expect(copied.sort()).toEqual(rooms);
    const ignored = await readFile(join(deploy, 'Dockerfile.dockerignore'), 'utf8');
    for (const folder of copied) expect(ignored).toContain(`!${folder}\n`);
  });
});

describe('deploy/prometheus.yml', () => {
  it('scrapes each teacher and the trainer', async () => {
    const file = (await readYaml('prometheus.yml')) as {
      scrape_configs: { static_configs: { targets: string[] }[] }[];
    };
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
