import { resolve } from 'node:path';

export const checkout = resolve(import.meta.dirname, '../..');

const variable = 'FUSEMESH_TRANSLATED';

/** Where the program is in JavaScript, for the tests of a run; undefined outside of tests. */
export const translatedFolder = (): string | undefined => process.env[variable];

/** Tells this process, and those that it starts from now on. */
export function setTranslatedFolder(folder: string): void {
  process.env[variable] = folder;
}
