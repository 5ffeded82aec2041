import { spawnSync } from 'node:child_process';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { parse } from 'yaml';
import { runConfigSchema } from '../../process/config/schema.ts';
import { createAuthority } from '../../test/support/certificates.ts';
import { findPrograms } from './find-program.ts';
import { dashboards, grafanaConfig } from './grafana-config.ts';
import { prometheusConfig, ruleFiles } from './prometheus-config.ts';
import { scrapeAccess } from './scrape-access.ts';
import { targetsOf } from './targets.ts';

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'fusemesh-observe-'));
});
afterAll(() => rm(directory, { recursive: true, force: true }));

const [promtool] = findPrograms(['promtool']);

test.skipIf(!promtool)('Prometheus accepts its configuration, with our rules and targets', async () => {
  const targetsFile = join(directory, 'targets.json');
  await writeFile(
    targetsFile,
    targetsOf([{ name: 'orator', kind: 'teacher', grpc: undefined, metrics: '127.0.0.1:9464' }]),
  );
  const file = join(directory, 'prometheus.yml');
  await writeFile(
    file,
    prometheusConfig({ targetsFile, rules: await ruleFiles(), access: { scheme: 'http' } }),
  );
  const { status, stdout, stderr } = spawnSync(promtool, ['check', 'config', file], { encoding: 'utf8' });
  expect(stdout + stderr).toContain('is valid prometheus config');
  expect(status).toBe(0);
});

test.skipIf(!promtool)('Prometheus shows the token of the run and trusts its CA', async () => {
  const { ca, sign } = createAuthority(directory);
  const tls = { ca, ...sign('node', ['IP:127.0.0.1']), clientCertificates: true };
  const config = (security: object) =>
    runConfigSchema.parse({
      run: 'demo',
      contextLength: 16,
      corpus: [{ domain: 'speeches', path: 'x.txt' }],
      security,
      teachers: [{ name: 'orator', address: '127.0.0.1:0' }],
      target: { model: 'm' },
      trainer: { output: directory },
    });
  const tokenFile = join(directory, 'run-token');
  await writeFile(tokenFile, 'hidden\n');
  const access = await scrapeAccess(config({ tls, tokenFile }), [], directory);
  const file = join(directory, 'secured.yml');
  const text = prometheusConfig({ targetsFile: join(directory, 'targets.json'), rules: [], access });
  await writeFile(file, text);
  expect(parse(text).scrape_configs[0]).toMatchObject({
    scheme: 'https',
    authorization: { type: 'Bearer', credentials_file: tokenFile },
    tls_config: { ca_file: ca, cert_file: tls.certificate, key_file: tls.key },
  });
  const { status, stdout, stderr } = spawnSync(promtool, ['check', 'config', file], { encoding: 'utf8' });
  expect({ status, said: stdout + stderr }).toMatchObject({ status: 0 });

  const far = [{ name: 'orator', kind: 'teacher' as const, grpc: undefined, metrics: '10.0.0.2:9464' }];
  await expect(scrapeAccess(config({ tokenFile }), far, directory)).rejects.toThrow(
    'is not sent to 10.0.0.2:9464',
  );
  expect(await scrapeAccess(config({ insecure: true }), far, directory)).toEqual({ scheme: 'http' });
});

test('a token of the environment goes into a file that only its owner reads', async () => {
  vi.stubEnv('FUSEMESH_TOKEN', 'hidden');
  const { authorization } = await scrapeAccess({ security: { insecure: false } }, [], directory);
  vi.unstubAllEnvs();
  const file = String(authorization?.credentials_file);
  expect(await readFile(file, 'utf8')).toBe('hidden\n');
  expect((await stat(file)).mode & 0o077).toBe(0);
});

test('targets carry the names of their processes; those that are nowhere are left out', () => {
  const places = [
    { name: 'orator', kind: 'teacher' as const, grpc: undefined, metrics: '127.0.0.1:1' },
    { name: 'novelist', kind: 'teacher' as const, grpc: undefined, metrics: undefined },
    { name: 'trainer', kind: 'trainer' as const, grpc: undefined, metrics: '127.0.0.1:2' },
  ];
  expect(JSON.parse(targetsOf(places))).toEqual([
    { targets: ['127.0.0.1:1'], labels: { instance: 'orator', job: 'teacher' } },
    { targets: ['127.0.0.1:2'], labels: { instance: 'trainer', job: 'trainer' } },
  ]);
});

test('rules are what has groups; tests of rules are none, and no folder has none', async () => {
  await writeFile(join(directory, 'alerts.yaml'), 'groups: []\n');
  await writeFile(join(directory, 'alerts-tests.yaml'), 'rule_files: [alerts.yaml]\ntests: []\n');
  expect(await ruleFiles(directory)).toEqual([join(directory, 'alerts.yaml')]);
  expect(await ruleFiles(join(directory, 'none'))).toEqual([]);
});

test('Grafana gets the data source, our dashboards, no login, and asks nobody', async () => {
  const ours = await dashboards();
  expect(ours?.home).toMatch(/deploy\/grafana\/dashboards\/fusemesh-run\.json$/);
  const prometheus = 'http://127.0.0.1:9090';
  const files = new Map(grafanaConfig({ directory: '/observe', port: 3000, prometheus, dashboards: ours }));
  expect([...files.keys()]).toEqual([
    'grafana.ini',
    'provisioning/datasources/prometheus.yaml',
    'provisioning/dashboards/fusemesh.yaml',
  ]);

  const settings = iniOf(files.get('grafana.ini')!);
  expect(settings).toMatchObject({
    paths: { data: '/observe/data', provisioning: '/observe/provisioning' },
    server: { http_addr: '127.0.0.1', http_port: '3000' },
    'auth.anonymous': { enabled: 'true' },
    auth: { disable_login_form: 'true' },
    analytics: { reporting_enabled: 'false', check_for_updates: 'false', check_for_plugin_updates: 'false' },
    plugins: { preinstall_disabled: 'true' },
    dashboards: { default_home_dashboard_path: ours?.home },
  });

  const { datasources } = parse(files.get('provisioning/datasources/prometheus.yaml')!);
  expect(datasources).toHaveLength(1);
  expect(datasources[0]).toMatchObject({
    type: 'prometheus',
    url: prometheus,
    access: 'proxy',
    isDefault: true,
  });
  const { providers } = parse(files.get('provisioning/dashboards/fusemesh.yaml')!);
  expect(providers).toMatchObject([{ type: 'file', options: { path: ours?.folder } }]);
});

test('Grafana without our dashboards still has the data source', async () => {
  expect(await dashboards(join(directory, 'none'))).toBeUndefined();
  const settings = { directory: '/observe', port: 3000, prometheus: 'http://x', dashboards: undefined };
  const files = new Map(grafanaConfig(settings));
  expect(parse(files.get('provisioning/dashboards/fusemesh.yaml')!).providers).toEqual([]);
  expect(iniOf(files.get('grafana.ini')!)).not.toHaveProperty('dashboards');
});

function iniOf(text: string): Record<string, Record<string, string>> {
  const sections: Record<string, Record<string, string>> = {};
  let section = '';
  for (const line of text.split('\n').filter((each) => each !== '')) {
    const heading = /^\[(.+)\]$/.exec(line)?.[1];
    if (heading !== undefined) {
      section = heading;
      sections[section] = {};
    } else {
      const [key, value] = line.split(' = ');
      sections[section][key] = value;
    }
  }
  return sections;
}
