import { join, resolve } from 'node:path';

export const repository = resolve(import.meta.dirname, '..', '..');
/** What the command keeps between two calls. */
export const keptDirectory = join(repository, '.fusemesh', 'prove', 'fusion');
