import { join, resolve } from 'node:path';

const repository = resolve(import.meta.dirname, '../..');

/** Where the model goes when nobody says otherwise; not committed. */
export const defaultDirectory = join(repository, 'models', 'smollm2-135m-instruct');

/** Downloaded and intermediate files; not committed. */
export const sourcesDirectory = join(repository, '.fusemesh', 'smollm2');
