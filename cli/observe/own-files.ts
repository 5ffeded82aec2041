import { readdir, readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { parse } from 'yaml';

const deploy = resolve(import.meta.dirname, '../../deploy');

/** Recording and alerting rules for Prometheus; none where the program is installed without deploy/. */
export async function ruleFiles(folder = join(deploy, 'prometheus')): Promise<string[]> {
  const files = (await names(folder))
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

/** The folder of Grafana's dashboards and the one to begin with; undefined without deploy/. */
export async function dashboards(
  folder = join(deploy, 'grafana', 'dashboards'),
): Promise<{ folder: string; home: string } | undefined> {
  const files = (await names(folder)).filter((name) => name.endsWith('.json')).sort();
  if (files.length === 0) return undefined;
  return { folder, home: join(folder, files.find((name) => name === 'fusemesh-run.json') ?? files[0]) };
}

const names = (folder: string): Promise<string[]> => readdir(folder).catch(() => []);
