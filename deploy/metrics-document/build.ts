import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { metricsDocument } from './metrics-document.ts';

// `npm run generate` writes into the repository, `npm run check` into the folder that it names.
const folder = process.argv[2] ?? join(import.meta.dirname, '../../docs');
await mkdir(folder, { recursive: true });
await writeFile(join(folder, 'metrics.md'), metricsDocument());
