import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, it } from 'vitest';
import { checkout, translatedFolder } from './folder.ts';

it('in tests a worker of the program is one of the translated program, and a worker of tests is as it is', () => {
  expect(new URL('../../engine/training-worker.ts', import.meta.url)).toEqual(
    pathToFileURL(join(translatedFolder()!, 'engine/training-worker.js')),
  );
  expect(new URL('../served/server-worker.ts', import.meta.url)).toEqual(
    pathToFileURL(join(checkout, 'test/served/server-worker.ts')),
  );
});
