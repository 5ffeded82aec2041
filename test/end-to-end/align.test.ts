import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { runCommand } from './command.ts';
import { expectOneLine } from './expect-one-line.ts';

const zoo = join(import.meta.dirname, '..', '..', 'examples', 'zoo');
const align = (...parameters: string[]) =>
  runCommand(['align', '--source', join(zoo, 'orator'), '--target', join(zoo, 'target'), ...parameters]);
/** The row of the target's tokens without what stands between them. */
const shownText = (stdout: string): string => stdout.split('\n')[4].replaceAll(/[│ ]/g, '');

test('align cuts a text, or that of a file', { timeout: 60_000 }, async () => {
  const file = join(await temporaryDirectory(), 'text.txt');
  await writeFile(file, 'Call me Ishmael.');
  const [ofFile, ofText, ofName] = await Promise.all([
    align('--file', file),
    align('Call me Ishmael.'),
    align(file),
  ]);
  expect(ofFile).toEqual(ofText);
  expect(ofFile).toMatchObject({ code: 0, stderr: '' });
  expect(shownText(ofFile.stdout)).toBe('Call·me·Ishmael.');

  // The name of a file is a text too, but seldom the one that is meant.
  expect(ofName.code).toBe(0);
  expect(ofName.stderr).toBe(
    `fusemesh: "${file}" is the name of a file, and cut as a text here: use --file ${file} for what is in it\n`,
  );
});

test('align says what is wrong with what it is given', { timeout: 60_000 }, async () => {
  expectOneLine(await align('--file', '/no/text.txt'), { code: 2, line: /cannot read \/no\/text\.txt/ });
  expectOneLine(await align('In 2019', '--file', '/no/text.txt'), { code: 2, line: /give one of them/ });
});
