import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { expect, it } from 'vitest';
import { temporaryDirectory } from '../test/support/temporary-directory.ts';
import { findTextFiles } from './find-text-files.ts';

async function directoryOf(...names: string[]): Promise<string> {
  const directory = await temporaryDirectory();
  for (const name of names) {
    await mkdir(dirname(join(directory, name)), { recursive: true });
    await writeFile(join(directory, name), 'x');
  }
  return directory;
}

async function find(directory: string, path = '') {
  const { files, skipped } = await findTextFiles(join(directory, path));
  const named = (all: readonly string[]) => all.map((file) => relative(directory, file));
  return { files: named(files), skipped: named(skipped) };
}

it('takes the data of a data set as the hub lays it out, and says what it leaves out', async () => {
  const directory = await directoryOf(
    'README.md',
    '.gitattributes',
    '.cache/huggingface/download/train.jsonl.metadata',
    'dataset_infos.json',
    'data/train-00001-of-00002.parquet',
    'data/train-00000-of-00002.parquet',
    'more/a.ndjson.GZ',
    'more/b.json.zst',
    'more/c.parquet.gz',
  );
  await symlink('../more/b.json.zst', join(directory, 'data/linked.jsonl'));
  await expect(find(directory)).resolves.toEqual({
    files: [
      'data/linked.jsonl',
      'data/train-00000-of-00002.parquet',
      'data/train-00001-of-00002.parquet',
      'more/a.ndjson.GZ',
      'more/b.json.zst',
    ],
    skipped: ['README.md', 'dataset_infos.json', 'more/c.parquet.gz'],
  });
});

it('takes one of several splits by a pattern, and never several because they lie together', async () => {
  const directory = await directoryOf(
    'data/train-00000-of-00002.parquet',
    'data/train-00001-of-00002.parquet',
    'data/test-00000-of-00001.parquet',
  );
  await expect(find(directory)).rejects.toMatchObject({
    code: 'invalid_argument',
    message: expect.stringMatching(/the splits test, train: .*data\/test-\*/),
  });
  expect((await find(directory, 'data/train-*')).files).toHaveLength(2);
  expect((await find(directory, '**/*.parquet')).files).toHaveLength(3);
  await expect(find(directory, 'data/dev-*')).rejects.toMatchObject({
    code: 'not_found',
    message: expect.stringContaining('data/dev-*'),
  });
});

it('takes a file whose name looks like a pattern', async () => {
  const directory = await directoryOf('poems [1].txt', 'poems 1.txt');
  expect((await find(directory, 'poems [1].txt')).files).toEqual(['poems [1].txt']);
});
