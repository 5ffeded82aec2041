import { existsSync } from 'node:fs';
import { cp, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { bundle } from '../../page/bundle.ts';
import { billOfImage } from './bill-of-materials.ts';
import { copyPackages } from './packages.ts';
import { translate } from './translate.ts';

// Makes what an image holds of a checkout with its packages: for deploy/Dockerfile, whose last stages have neither
// npm nor a translator.
//   node --import tsx deploy/image/build.ts BILL OUT
// BILL is what `npm sbom --sbom-format cyclonedx` has written. OUT/packages changes less often than OUT/program.

const rooms = [
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
const [bill, out] = process.argv.slice(2);
const packages = join(out, 'packages');
const program = join(out, 'program');

await copyPackages(join(project, 'node_modules'), join(packages, 'node_modules'), process);
await translate(rooms, project, program);
for (const path of asTheyAre) await cp(join(project, path), join(program, path), { recursive: true });
await mkdir(join(program, 'page/bundled'));
for (const name of ['live', 'report'] as const) {
  const { script, style } = await bundle(name);
  await writeFile(join(program, `page/bundled/${name}.js`), script);
  await writeFile(join(program, `page/bundled/${name}.css`), style);
}
const isThere = (name: string): boolean => existsSync(join(packages, 'node_modules', name));
await writeFile(join(program, 'sbom.cdx.json'), billOfImage(await readFile(bill, 'utf8'), isThere));
