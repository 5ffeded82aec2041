import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { readTexts } from './read-texts.ts';

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'fusemesh-texts-'));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

const write = (name: string, content: string | Uint8Array) => writeFile(join(directory, name), content);
async function read(name = ''): Promise<unknown[]> {
  const texts: unknown[] = [];
  for await (const { content } of readTexts([{ domain: 'test', path: join(directory, name) }]))
    texts.push(content);
  return texts;
}

it('reads files of text and of JSON lines, and directories of them by name', async () => {
  await mkdir(join(directory, 'c'));
  await write('c/last.txt', 'naïve\r\n');
  await write('b.jsonl', '{"text": "one\\n"}\n\n{"text": "two", "id": 2}');
  await write('a.txt', '\ufefffirst\n');
  await write('ignored.md', 'no');
  expect(await read()).toEqual(['first\n', 'one\n', 'two', 'naïve\r\n']);
  expect(await read('b.jsonl')).toEqual(['one\n', 'two']);
});

it('follows links to files and directories, and comes back from none that leads in a circle', async () => {
  await mkdir(join(directory, 'blobs'));
  await mkdir(join(directory, 'corpus'));
  await write('blobs/one', 'one');
  await write('blobs/two.txt', 'two');
  await symlink('../blobs/one', join(directory, 'corpus/a.txt'));
  await symlink('../blobs', join(directory, 'corpus/b'));
  await symlink('..', join(directory, 'blobs/back'));
  expect(await read('corpus')).toEqual(['one', 'two']);
});

it('names a link to nothing where a text would be', async () => {
  await mkdir(join(directory, 'corpus'));
  await write('corpus/fine.txt', 'fine');
  await symlink('nowhere', join(directory, 'corpus/gone.jsonl'));
  await expect(read('corpus')).rejects.toMatchObject({
    code: 'not_found',
    message: expect.stringMatching(/gone\.jsonl is a link to nothing/),
  });
});

it('refuses text that is no Unicode, by file and line, rather than train on its replacement', async () => {
  await write('latin1.jsonl', Buffer.from('{"text": "fine"}\n{"text": "caf\u00e9"}\n', 'latin1'));
  await write('half.jsonl', '{"text": "\\ud83d\\ude00"}\n{"text": "\\ud83d"}\n');
  const refused = (message: RegExp) => ({
    code: 'invalid_argument',
    message: expect.stringMatching(message),
  });
  await expect(read('latin1.jsonl')).rejects.toMatchObject(refused(/latin1\.jsonl:2 is not UTF-8/));
  await expect(read('half.jsonl')).rejects.toMatchObject(
    refused(/half\.jsonl:2 has half of a surrogate pair/),
  );
});

it('says what is wrong with a path or a file, and where', async () => {
  await write('bad.jsonl', '{"text": "fine"}\n{"tekst": "no"}\n');
  await write('worse.jsonl', 'not JSON');
  await write('binary.txt', Uint8Array.of(0xff, 0xfe, 0x41));
  await write('table.csv', 'a,b');
  await mkdir(join(directory, 'empty'));
  const fails = (name: string, code: string, message: string) =>
    expect(read(name)).rejects.toMatchObject({ code, message: expect.stringContaining(message) });
  await fails('missing.txt', 'not_found', 'missing.txt');
  await fails('empty', 'not_found', 'holds no file');
  await fails('bad.jsonl', 'invalid_argument', 'bad.jsonl:2');
  await fails('worse.jsonl', 'invalid_argument', 'worse.jsonl:1');
  await fails('binary.txt', 'invalid_argument', 'not UTF-8');
  await fails('table.csv', 'invalid_argument', 'table.csv');
});
