import { join, resolve } from 'node:path';

export const repository = resolve(import.meta.dirname, '..', '..');
/** What `npm run prove -- fusion` keeps between two calls. */
export const keptDirectory = join(repository, '.fusemesh', 'prove', 'fusion');
