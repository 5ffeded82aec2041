import { cp, mkdir, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { makeBundle } from '../../page/bundle.ts';
import { translate } from './translate.ts';

export const roomsOfProgram = [
  'errors',
  'numbers',
  'process',
  'wire',
  'model',
  'engine',
  'texts',
  'fusion',
  'page',
  'services',
  'trainer',
  'cli',
];
/** Read by `fusemesh observe` and `fusemesh kubernetes --monitoring`. */
const asTheyAre = [
  'package.json',
  'LICENSE',
  'deploy/prometheus/recording.yaml',
  'deploy/prometheus/alerts.yaml',
  'deploy/grafana/dashboards',
];

const project = resolve(import.meta.dirname, '../..');

/** Writes all of this checkout that runs, as an image has it: JavaScript, and the page bundled. Packages stay out. */
export async function writeProgram(to: string): Promise<void> {
  await translate(roomsOfProgram, project, to);
  for (const path of asTheyAre) await cp(join(project, path), join(to, path), { recursive: true });
  await mkdir(join(to, 'page/bundled'));
  for (const name of ['live', 'report'] as const) {
    const { script, style } = await makeBundle(name);
    await writeFile(join(to, `page/bundled/${name}.js`), script);
    await writeFile(join(to, `page/bundled/${name}.css`), style);
  }
}
