import { appendFile, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, expect, it } from 'vitest';
import { createLog } from '../../../process/log/log.ts';
import { temporaryDirectory } from '../../../test/support/temporary-directory.ts';
import { JoinJournal } from './join-journal.ts';

const log = createLog('test', { level: 'silent' });
const all = ['fiction', 'manuals', 'target'];
let output: string;
beforeEach(async () => {
  output = join(await temporaryDirectory(), 'output');
});

const open = (from: number, { corpusSha256 = 'ab', sources = all } = {}) =>
  JoinJournal.open(output, { run: 'demo', corpusSha256, from, sources }, log);
const text = () => readFile(join(output, 'joined.jsonl'), 'utf8');
const joinedWith = (first: number, ...sources: string[][]) =>
  sources.map((each, i) => ({ document: first + i, sources: each }));

it('keeps stretches of documents with the same sources, and knows them again behind a checkpoint', async () => {
  const journal = await open(0);
  expect(journal.sourcesOf(0)).toBeUndefined();
  await journal.write(joinedWith(0, all, all, ['fiction']));
  await journal.write(joinedWith(3, ['fiction'], all));
  await journal.close();
  expect((await text()).trimEnd().split('\n').slice(1)).toEqual([
    '{"first":0,"last":1,"sources":["fiction","manuals","target"]}',
    '{"first":2,"last":2,"sources":["fiction"]}',
    '{"first":3,"last":3,"sources":["fiction"]}',
    '{"first":4,"last":4,"sources":["fiction","manuals","target"]}',
  ]);

  const again = await open(2);
  expect([1, 2, 3, 4, 5].map(again.sourcesOf)).toEqual([undefined, ['fiction'], ['fiction'], all, undefined]);
  const before = await text();
  await again.write(joinedWith(2, ['fiction'], ['fiction']));
  expect(await text()).toBe(before);
  await again.write(joinedWith(4, all, ['manuals']));
  await again.close();
  expect((await text()).slice(before.length)).toBe('{"first":5,"last":5,"sources":["manuals"]}\n');
});

it('passes over a line that a kill has torn, and reads what follows', async () => {
  const journal = await open(0);
  await journal.write(joinedWith(0, all));
  await journal.close();
  await appendFile(join(output, 'joined.jsonl'), '{"first":1,"last":1,"sou');
  const again = await open(0);
  expect([0, 1].map(again.sourcesOf)).toEqual([all, undefined]);
  await again.write(joinedWith(1, ['target']));
  await again.close();
  const third = await open(0);
  expect([0, 1].map(third.sourcesOf)).toEqual([all, ['target']]);
  await third.close();
});

it('forgets what is of another corpus, and does not follow what names a source that is no more', async () => {
  const journal = await open(0);
  await journal.write(joinedWith(0, all, ['fiction']));
  await journal.close();
  const fewer = await open(0, { sources: ['fiction', 'target'] });
  expect([0, 1].map(fewer.sourcesOf)).toEqual([undefined, ['fiction']]);
  await fewer.close();
  const other = await open(0, { corpusSha256: 'cd' });
  expect([0, 1].map(other.sourcesOf)).toEqual([undefined, undefined]);
  await other.close();
});

it('what is written later counts', async () => {
  const journal = await open(0);
  await journal.write(joinedWith(0, all));
  await journal.write(joinedWith(0, ['target']));
  await journal.close();
  const again = await open(0);
  expect(again.sourcesOf(0)).toEqual(['target']);
  await again.close();
});
