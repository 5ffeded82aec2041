import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, test } from 'vitest';
import { temporaryDirectory } from '../../../test/support/temporary-directory.ts';
import { codeVersion } from './code-version.ts';

test('changes with what a module imports or starts as a thread, and with nothing else', async () => {
  const directory = await temporaryDirectory();
  const write = (name: string, source: string) => writeFile(join(directory, name), source);
  await write('entry.ts', "import { a } from './a.ts';\nnew URL('./thread-worker.ts', import.meta.url);\n");
  await write('a.ts', 'export const a = 1;\n');
  await write('thread-worker.ts', "import { a } from './a.ts';\n");
  await write('other.ts', '');
  const version = () => codeVersion(pathToFileURL(join(directory, 'entry.ts')).href);
  const first = await version();
  await write('other.ts', 'export const b = 1;\n');
  expect(await version()).toBe(first);
  await write('a.ts', 'export const a = 2;\n');
  const second = await version();
  expect(second).not.toBe(first);
  await write('thread-worker.ts', '');
  expect(await version()).not.toBe(second);
});
