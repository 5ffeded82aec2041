import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { temporaryDirectory } from '../test/support/temporary-directory.ts';
import { readJsonLines } from './json-lines.ts';

async function read(file: string): Promise<unknown[]> {
  const lines = [];
  for await (const line of readJsonLines(file)) lines.push(line);
  return lines;
}

it('gives each value with its place, blank lines left out', async () => {
  const file = join(await temporaryDirectory(), 'lines.jsonl');
  await writeFile(file, '{"a": 1}\r\n\n[2]');
  expect(await read(file)).toEqual([
    { value: { a: 1 }, place: `${file}:1` },
    { value: [2], place: `${file}:3` },
  ]);
});

it('leaves a byte order mark out, and ends lines at line feeds alone, wherever chunks of the file end', async () => {
  const file = join(await temporaryDirectory(), 'lines.jsonl');
  const long = '\u6771'.repeat(50_000);
  await writeFile(file, `\ufeff"a\u2028b"\n${JSON.stringify(long)}\n"c\u0085d"`);
  expect((await read(file)).map((line) => (line as { value: unknown }).value)).toEqual([
    'a\u2028b',
    long,
    'c\u0085d',
  ]);
});

it('names a line that is not JSON, and what is no file', async () => {
  const directory = await temporaryDirectory();
  const file = join(directory, 'lines.jsonl');
  await writeFile(file, '{}\n{a: 1}\n');
  await expect(read(file)).rejects.toMatchObject({
    code: 'invalid_argument',
    message: expect.stringContaining('lines.jsonl:2 is not JSON'),
  });
  const refusal = { code: 'not_found', message: expect.stringContaining('correct the path') };
  await expect(read(join(directory, 'none.jsonl'))).rejects.toMatchObject(refusal);
  await expect(read(directory)).rejects.toMatchObject(refusal);
});
