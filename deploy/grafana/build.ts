import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { dashboardFile } from './dashboard.ts';
import { dashboards } from './dashboards.ts';

// `npm run generate` writes into the repository, `npm run check` into the folder that it names.
const folder = process.argv[2] ?? join(import.meta.dirname, 'dashboards');
await mkdir(folder, { recursive: true });
for (const definition of dashboards) {
  await writeFile(join(folder, `${definition.uid}.json`), dashboardFile(definition));
}
