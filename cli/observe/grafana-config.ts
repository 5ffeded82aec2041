import { readdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { stringify } from 'yaml';
import { scrapeInterval } from './prometheus-config.ts';

/** A configuration file: its path within Grafana's folder, and its text. */
export type ConfigFile = readonly [path: string, text: string];

/**
 * Grafana's configuration: no login, nothing that asks the internet, the data source and the dashboards in place.
 *
 * @param directory where its data and these files are
 * @param prometheus http://HOST:PORT
 */
export const grafanaConfig = ({
  directory,
  port,
  prometheus,
  dashboards,
}: {
  readonly directory: string;
  readonly port: number;
  readonly prometheus: string;
  readonly dashboards: { readonly folder: string; readonly home: string } | undefined;
}): ConfigFile[] => [
  [
    'grafana.ini',
    ini({
      paths: {
        data: join(directory, 'data'),
        logs: join(directory, 'data', 'log'),
        plugins: join(directory, 'data', 'plugins'),
        provisioning: join(directory, 'provisioning'),
      },
      server: { http_addr: '127.0.0.1', http_port: port },
      'auth.anonymous': { enabled: true, org_role: 'Admin' },
      auth: { disable_login_form: true },
      security: { disable_gravatar: true },
      analytics: {
        reporting_enabled: false,
        check_for_updates: false,
        check_for_plugin_updates: false,
        feedback_links_enabled: false,
      },
      news: { news_feed_enabled: false },
      snapshots: { external_enabled: false },
      // Grafana 12 fetches plugins at its start otherwise.
      plugins: { preinstall_disabled: true, public_key_retrieval_disabled: true },
      ...(dashboards && { dashboards: { default_home_dashboard_path: dashboards.home } }),
      log: { mode: 'console', level: 'warn' },
    }),
  ],
  [
    'provisioning/datasources/prometheus.yaml',
    stringify({
      apiVersion: 1,
      datasources: [
        {
          name: 'Prometheus',
          uid: 'prometheus',
          type: 'prometheus',
          access: 'proxy',
          url: prometheus,
          isDefault: true,
          // Grafana derives its windows for rates from it.
          jsonData: { timeInterval: scrapeInterval },
        },
      ],
    }),
  ],
  [
    'provisioning/dashboards/fusemesh.yaml',
    stringify({
      apiVersion: 1,
      providers: dashboards ? [{ name: 'FuseMesh', type: 'file', options: { path: dashboards.folder } }] : [],
    }),
  ],
];

const ini = (
  sections: Readonly<Record<string, Readonly<Record<string, string | number | boolean>>>>,
): string =>
  Object.entries(sections)
    .map(([section, values]) => {
      const lines = Object.entries(values).map(([key, value]) => `${key} = ${value}`);
      return [`[${section}]`, ...lines, ''].join('\n');
    })
    .join('\n');

/** The folder of Grafana's dashboards and the one to begin with; undefined without deploy/. */
export async function dashboards(
  folder = resolve(import.meta.dirname, '../../deploy/grafana/dashboards'),
): Promise<{ folder: string; home: string } | undefined> {
  const files = (await readdir(folder).catch(() => [])).filter((name) => name.endsWith('.json')).sort();
  if (files.length === 0) return undefined;
  return { folder, home: join(folder, files.find((name) => name === 'fusemesh-run.json') ?? files[0]) };
}
