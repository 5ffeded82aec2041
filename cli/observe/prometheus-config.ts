import { readdir, readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { parse, stringify } from 'yaml';
import type { ScrapeAccess } from './scrape-access.ts';

/** How often the processes of a run are asked, here and in Grafana's data source. */
export const scrapeInterval = '5s';

/**
 * Prometheus' configuration.
 *
 * @param targetsFile list of what to scrape, which it reads again when it changes
 * @param rules files of recording and alerting rules
 * @param access what the processes demand
 */
export const prometheusConfig = ({
  targetsFile,
  rules,
  access,
}: {
  readonly targetsFile: string;
  readonly rules: readonly string[];
  readonly access: ScrapeAccess;
}): string =>
  stringify({
    global: { scrape_interval: scrapeInterval, evaluation_interval: scrapeInterval },
    rule_files: rules,
    // The label `job` comes with each target.
    scrape_configs: [
      {
        job_name: 'fusemesh',
        ...access,
        file_sd_configs: [{ files: [targetsFile], refresh_interval: scrapeInterval }],
      },
    ],
  });

/** Recording and alerting rules for Prometheus; none where the program is installed without deploy/. */
export async function ruleFiles(
  folder = resolve(import.meta.dirname, '../../deploy/prometheus'),
): Promise<string[]> {
  const files = (await readdir(folder).catch(() => []))
    .filter((name) => /\.ya?ml$/.test(name))
    .map((name) => join(folder, name));
  const isRules = await Promise.all(
    files.map(async (file) => {
      // Tests of rules lie beside them and are no rules.
      const content: unknown = parse(await readFile(file, 'utf8'));
      return typeof content === 'object' && content !== null && 'groups' in content;
    }),
  );
  return files.filter((_, i) => isRules[i]);
}
