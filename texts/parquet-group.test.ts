import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { type AsyncBuffer, parquetMetadataAsync } from 'hyparquet';
import { ByteWriter, ParquetWriter } from 'hyparquet-writer';
import { beforeAll, describe, expect, it } from 'vitest';
import { temporaryDirectory } from '../test/support/temporary-directory.ts';
import { readGroup } from './parquet-group.ts';
import { readParquetRows } from './parquet-rows.ts';

const rows = 3_000;
/** Long texts, of which each tells its row, and here and there none. */
const texts = Array.from({ length: rows }, (_, i) =>
  i % 97 === 5 ? null : `${i} ${'ice floe '.repeat(i % 1500)}`,
);
/** Short ones, of few kinds, which are written as a dictionary. */
const kinds = Array.from({ length: rows }, (_, i) => ['prose', 'verse', 'letters'][i % 3]);
const tags = texts.map((_, i) =>
  Array.from({ length: i % 3 }, (_, tag) => `${i}.${tag} ${'tag '.repeat(250)}`),
);
let file: Uint8Array;
let indexed: Uint8Array;
beforeAll(() => {
  file = oneGroup(false);
  indexed = oneGroup(true);
});

/** A file of one row group, as pandas writes it. */
function oneGroup(offsetIndex: boolean): Uint8Array {
  const writer = new ByteWriter();
  const parquet = new ParquetWriter({
    writer,
    schema: [
      { name: 'root', num_children: 3 },
      { name: 'kind', type: 'BYTE_ARRAY', converted_type: 'UTF8', repetition_type: 'REQUIRED' },
      { name: 'text', type: 'BYTE_ARRAY', converted_type: 'UTF8', repetition_type: 'OPTIONAL' },
      { name: 'tags', converted_type: 'LIST', repetition_type: 'OPTIONAL', num_children: 1 },
      { name: 'list', repetition_type: 'REPEATED', num_children: 1 },
      { name: 'element', type: 'BYTE_ARRAY', converted_type: 'UTF8', repetition_type: 'OPTIONAL' },
    ],
  });
  parquet.write({
    columnData: [
      { name: 'kind', data: kinds, offsetIndex },
      { name: 'text', data: texts, offsetIndex },
      { name: 'tags', data: tags, offsetIndex },
    ],
    rowGroupSize: rows,
    pageSize: 1_000_000,
  });
  parquet.finish();
  return writer.getBytes();
}

async function read(columns: readonly string[], { from = 0, bytes = file } = {}) {
  let most = 0;
  const buffer: AsyncBuffer = {
    byteLength: bytes.length,
    slice: (begin, end = bytes.length) => {
      most = Math.max(most, end - begin);
      return bytes.slice(begin, end).buffer as ArrayBuffer;
    },
  };
  const metadata = await parquetMetadataAsync(buffer);
  const [group, ...others] = metadata.row_groups;
  expect(others).toEqual([]);
  const slices = [];
  most = 0;
  for await (const slice of readGroup(buffer, metadata, { group, rowStart: 0, columns, from }))
    slices.push(slice);
  return { slices, most };
}

const strings = (values: readonly unknown[] = []) =>
  values.map((value) => (value instanceof Uint8Array ? Buffer.from(value).toString() : null));

describe('readGroup', () => {
  it('reads a large group in slices, from files without an index of their pages too', async () => {
    const { slices, most } = await read(['text', 'kind']);
    expect(slices.length).toBeGreaterThan(1);
    expect(most).toBeLessThan(file.length / slices.length + 2_000_000);
    expect(slices.flatMap(({ values }) => strings(values.get('text')))).toEqual(texts);
    expect(slices.flatMap(({ values }) => strings(values.get('kind')))).toEqual(kinds);
    for (const [i, { rowStart }] of slices.entries()) expect(rowStart).toBe(slices[i - 1]?.rowEnd ?? 0);
  });

  it('leaves out what is before the row that it begins with', async () => {
    const { slices } = await read(['kind', 'text'], { from: rows - 1 });
    expect(slices).toHaveLength(1);
    expect(slices[0].rowEnd).toBe(rows);
    expect(slices[0].rowStart).toBeGreaterThan(0);
    expect(strings(slices[0].values.get('text')).at(-1)).toBe(texts.at(-1));
  });

  it('reads lists beside texts, in slices where there is an index', async () => {
    for (const [bytes, isIndexed] of [
      [file, false],
      [indexed, true],
    ] as const) {
      const { slices } = await read(['text', 'tags'], { bytes });
      expect(slices.length > 1).toBe(isIndexed);
      expect(slices.flatMap(({ values }) => strings(values.get('text')))).toEqual(texts);
      const lists = slices.flatMap(({ values }) => values.get('tags') as unknown[][]);
      expect(lists.map((each) => strings(each))).toEqual(tags);
    }
  });
});

it('reads the rows of a file of one large group, and goes on behind any', async () => {
  const path = join(await temporaryDirectory(), 'one-group.parquet');
  const handle = await open(path, 'w');
  await handle.write(file);
  await handle.close();
  for (const before of [0, 1, 1234, rows - 1, rows]) {
    const found: unknown[] = [];
    const options = { column: 'text', from: { rows: before, bytes: 0 } };
    for await (const row of readParquetRows(path, options)) found.push('value' in row && row.value);
    expect(found).toEqual(texts.slice(before).map((text) => ({ text })));
  }
});
