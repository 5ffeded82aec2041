import { type FileHandle, open } from 'node:fs/promises';
import {
  type AsyncBuffer,
  type FileMetaData,
  parquetMetadataAsync,
  parquetSchema,
  type SchemaElement,
} from 'hyparquet';
import { FuseMeshError } from '../errors/fusemesh-error.ts';
import { readGroup } from './parquet-group.ts';
import { decodeUtf8, type Row, type RowOptions } from './row.ts';

/**
 * The rows of a parquet file, of which a part of a row group at a time is in memory. A row's value is an object with the columns
 * that are wanted.
 *
 * @throws FuseMeshError invalid_argument for a column that is not there or holds no strings, and for a file that is
 *   broken
 */
export async function* readParquetRows(
  file: string,
  { columns, from, onRead }: RowOptions,
): AsyncGenerator<Row> {
  const handle = await open(file);
  try {
    const buffer = await asyncBuffer(handle);
    const metadata = await whole(file, parquetMetadataAsync(buffer));
    refuseOtherColumns(file, metadata, columns);
    let rowStart = 0;
    for (const group of metadata.row_groups) {
      const rowEnd = rowStart + Number(group.num_rows);
      if (rowEnd > from.rows) {
        const slices = readGroup(buffer, metadata, { group, rowStart, columns, from: from.rows });
        for await (const slice of eachOf(file, slices)) {
          onRead?.((buffer.byteLength * slice.rowEnd) / Number(metadata.num_rows));
          for (let row = Math.max(slice.rowStart, from.rows); row < slice.rowEnd; row++) {
            yield parquetRow(file, row, columns, slice.values, row - slice.rowStart);
          }
        }
      }
      rowStart = rowEnd;
    }
  } finally {
    await handle.close();
  }
}

function parquetRow(
  file: string,
  row: number,
  columns: readonly string[],
  values: ReadonlyMap<string, readonly unknown[]>,
  index: number,
): Row {
  const head = { place: `${file}, row ${row + 1}`, after: { rows: row + 1, bytes: 0 } };
  const value: Record<string, unknown> = {};
  for (const column of columns) {
    const bytes = values.get(column)?.[index];
    const text = bytes instanceof Uint8Array ? decodeUtf8(bytes) : null;
    if (text === undefined) return { ...head, problem: 'not UTF-8' };
    value[column] = text;
  }
  return { ...head, value };
}

function refuseOtherColumns(file: string, metadata: FileMetaData, columns: readonly string[]): void {
  const elements = parquetSchema(metadata).children.map(({ element }) => element);
  const strings = elements.filter(isString).map(({ name }) => name);
  for (const column of columns) {
    if (strings.includes(column)) continue;
    const found = elements.find(({ name }) => name === column);
    throw new FuseMeshError(
      'invalid_argument',
      `${file} has ${found ? `no strings in its column "${column}"` : `no column "${column}"`}; ` +
        `its columns of strings: ${strings.join(', ') || 'none'}. Set column to one of them.`,
    );
  }
}

const isString = ({ type, num_children, repetition_type }: SchemaElement): boolean =>
  type === 'BYTE_ARRAY' && !num_children && repetition_type !== 'REPEATED';

async function asyncBuffer(handle: FileHandle): Promise<AsyncBuffer> {
  const { size } = await handle.stat();
  return {
    byteLength: size,
    async slice(start, end = size) {
      const bytes = new Uint8Array(end - start);
      const { bytesRead } = await handle.read(bytes, 0, bytes.length, start);
      if (bytesRead < bytes.length) throw new Error('it ends too early');
      return bytes.buffer;
    },
  };
}

/** A parquet file that is broken shows so in many ways. */
async function whole<T>(file: string, reading: Promise<T>): Promise<T> {
  return reading.catch((cause: unknown) => {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new FuseMeshError(
      'invalid_argument',
      `${file} cannot be read as parquet (${reason}): download or write it again.`,
      { cause },
    );
  });
}

/** As {@link whole}, of one item after another. */
async function* eachOf<T>(file: string, items: AsyncGenerator<T>): AsyncGenerator<T> {
  for (;;) {
    const { done, value } = await whole(file, items.next());
    if (done) return;
    yield value;
  }
}
