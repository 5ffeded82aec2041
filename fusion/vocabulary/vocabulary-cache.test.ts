import { readdir, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { createLog } from '../../process/log/log.ts';
import { temporaryDirectory } from '../../test/support/temporary-directory.ts';
import { cachedVocabulary } from './vocabulary-cache.ts';

const log = createLog('test', { level: 'silent' });
const before = process.env['FUSEMESH_CACHE'];
let directory: string;
let built: number;

beforeEach(async () => {
  directory = await temporaryDirectory();
  process.env['FUSEMESH_CACHE'] = directory;
  built = 0;
});
afterEach(() => {
  if (before === undefined) delete process.env['FUSEMESH_CACHE'];
  else process.env['FUSEMESH_CACHE'] = before;
});

const vocabulary = {
  ids: Int32Array.of(3, -1, 70_000),
  exact: Uint8Array.of(1, 0, 0),
  beginsLonger: Uint8Array.of(0, 0, 1),
};
const ask = (source = 1, kind = 'prefix') =>
  cachedVocabulary(
    { source: Uint8Array.of(source), target: Uint8Array.of(9), kind },
    async () => {
      built++;
      return vocabulary;
    },
    log,
  );

it('builds a map once for each pair of tokenizers and kind of map', async () => {
  expect(await ask()).toEqual(vocabulary);
  expect(await ask()).toEqual(vocabulary);
  expect(built).toBe(1);
  await ask(2);
  await ask(1, 'exact');
  expect(built).toBe(3);
});

it('builds again what is damaged, and works where nothing can be written', async () => {
  await ask();
  const [name] = await readdir(join(directory, 'vocabulary-maps'));
  await truncate(join(directory, 'vocabulary-maps', name), 40);
  expect(await ask()).toEqual(vocabulary);
  process.env['FUSEMESH_CACHE'] = join(directory, 'vocabulary-maps', name);
  expect(await ask()).toEqual(vocabulary);
  expect(built).toBe(3);
});
