import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { FuseMeshError } from '../../errors/fusemesh-error.ts';
import type { RunConfig } from '../../process/config/schema.ts';
import { httpScheme, type Place, placesOfRun } from '../reach/reachable.ts';
import { claimDirectory, claimPort } from './claims.ts';
import { findGrafana, type Grafana } from './find-grafana.ts';
import { findPrograms } from './find-program.ts';
import { dashboards, grafanaConfig } from './grafana-config.ts';
import { prometheusConfig, ruleFiles } from './prometheus-config.ts';
import { type ScrapeAccess, scrapeAccess } from './scrape-access.ts';
import { type RunningServer, startServer } from './start-server.ts';
import { keepTargets } from './targets.ts';

interface ObserveOptions {
  /** 0 picks a free one. */
  readonly prometheusPort: number;
  readonly grafanaPort: number;
  /** Writes a line for people. */
  readonly say: (line: string) => void;
  readonly signal: AbortSignal;
}

/**
 * Runs Prometheus, and Grafana where it is installed, over the processes of a run until the signal. All that they
 * write is in OUTPUT/observe, and stays.
 *
 * @throws FuseMeshError failed_precondition when Prometheus is not installed or one of them does not run
 */
export async function runObserve(config: RunConfig, options: ObserveOptions): Promise<void> {
  const { say, signal } = options;
  const [prometheus] = findPrograms(['prometheus']);
  if (prometheus === undefined) {
    throw new FuseMeshError(
      'failed_precondition',
      'Prometheus is not installed: get it with `apt-get install prometheus` or `brew install prometheus`. ' +
        "The trainer's own page and `fusemesh watch` need nothing.",
    );
  }
  const directory = join(config.trainer.output, 'observe');
  await mkdir(directory, { recursive: true });
  const giveBack = await claimDirectory(directory);
  const targets = join(directory, 'targets.json');
  const leaving = new AbortController();
  const servers: RunningServer[] = [];
  const keeping = keepTargets(config, targets, {
    onChange: (places) => say(placesText(places, httpScheme(config.security))),
    signal: AbortSignal.any([signal, leaving.signal]),
  });
  keeping.catch(() => undefined);
  try {
    const url = await claimed(options.prometheusPort, '--prometheus-port');
    const access = await scrapeAccess(config, await placesOfRun(config), directory);
    servers.push(await startPrometheus(prometheus, { directory, targets, access, url, say, signal }));
    if (!signal.aborted) say(`Prometheus ${url}`);
    const grafana = findGrafana();
    if (grafana === undefined) {
      say(
        "Grafana is not installed (https://grafana.com/grafana/download): Prometheus runs without it, and the trainer's page shows the same run",
      );
    } else if (!signal.aborted) {
      const page = await claimed(options.grafanaPort, '--grafana-port');
      servers.push(await startGrafana(grafana, { directory, page, prometheus: url, signal }));
      say(`Grafana ${page}`);
    }
    if (signal.aborted) return;
    say(`Data is kept in ${directory}. Ctrl-C stops.`);
    await Promise.race([once(signal, 'abort'), keeping, ...servers.map(({ failure }) => failure)]);
  } finally {
    leaving.abort();
    await Promise.all(servers.map((server) => server.stop()));
    await giveBack();
  }
}

const claimed = async (port: number, option: string): Promise<string> =>
  `http://127.0.0.1:${await claimPort(port, option)}`;

async function startPrometheus(
  program: string,
  settings: {
    directory: string;
    targets: string;
    access: ScrapeAccess;
    url: string;
    say: ObserveOptions['say'];
    signal: AbortSignal;
  },
): Promise<RunningServer> {
  const { directory, targets, access, url, say, signal } = settings;
  const rules = await ruleFiles();
  if (rules.length === 0)
    say('There is no deploy/prometheus beside this program: no alerts, no recorded rules');
  const file = join(directory, 'prometheus.yml');
  await writeFile(file, prometheusConfig({ targetsFile: targets, rules, access }));
  return startServer(
    {
      name: 'Prometheus',
      program,
      log: join(directory, 'prometheus.log'),
      ready: `${url}/-/ready`,
      parameters: [
        `--config.file=${file}`,
        `--storage.tsdb.path=${join(directory, 'prometheus')}`,
        `--web.listen-address=${new URL(url).host}`,
        '--log.level=warn',
      ],
    },
    signal,
  );
}

async function startGrafana(
  { program, verb, home }: Grafana,
  settings: { directory: string; page: string; prometheus: string; signal: AbortSignal },
): Promise<RunningServer> {
  const directory = join(settings.directory, 'grafana');
  const { page, prometheus, signal } = settings;
  const port = Number(new URL(page).port);
  const files = grafanaConfig({ directory, port, prometheus, dashboards: await dashboards() });
  for (const [name, text] of files) {
    await mkdir(dirname(join(directory, name)), { recursive: true });
    await writeFile(join(directory, name), text);
  }
  return startServer(
    {
      name: 'Grafana',
      program,
      log: join(directory, 'grafana.log'),
      ready: `${page}/api/health`,
      parameters: [...verb, `--homepath=${home}`, `--config=${join(directory, 'grafana.ini')}`],
    },
    signal,
  );
}

/** Where the processes are that Prometheus asks, and the page of the trainer. */
function placesText(places: readonly Place[], scheme: 'http' | 'https'): string {
  const known = places.filter(({ metrics }) => metrics !== undefined);
  const unknown = places.filter(({ metrics }) => metrics === undefined).map(({ name }) => name);
  const parts: string[] = [];
  if (known.length > 0) parts.push(`Prometheus asks ${known.map(({ name }) => name).join(', ')}`);
  if (unknown.length > 0) parts.push(`waits for ${unknown.join(', ')} (\`fusemesh up\` says where)`);
  const trainer = known.find(({ kind }) => kind === 'trainer');
  if (trainer) parts.push(`the trainer's page: ${scheme}://${trainer.metrics}/`);
  return parts.join('; ');
}
