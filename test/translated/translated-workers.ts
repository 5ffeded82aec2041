import { existsSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Plugin } from 'vitest/config';
import { checkout, translatedFolder } from './folder.ts';

/** How a file says where the code of its worker thread is. */
const workerUrl = /new URL\('(\.{1,2}\/[^']+-worker)\.ts', import\.meta\.url\)/g;

/** Worker threads that a test starts in its own process run the translated program too. */
export const translatedWorkers: Plugin = {
  name: 'translated-workers',
  enforce: 'pre',
  transform(code, id) {
    const folder = translatedFolder();
    if (folder === undefined) return;
    return code.replace(workerUrl, (asItWas, path: string) => {
      const file = join(folder, `${relative(checkout, resolve(id, '..', path))}.js`);
      // Workers of tests are not part of the program.
      return existsSync(file) ? `new URL('${pathToFileURL(file).href}')` : asItWas;
    });
  },
};
