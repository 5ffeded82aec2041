import { type FileHandle, open } from 'node:fs/promises';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import {
  type AsyncBuffer,
  type FileMetaData,
  parquetMetadataAsync,
  parquetRead,
  parquetSchema,
  type SchemaElement,
} from 'hyparquet';
import { compressors as portable } from 'hyparquet-compressors';
import { FuseMeshError } from '../errors/fusemesh-error.ts';
import { decodeUtf8, type Row, type RowOptions } from './row.ts';

/** Node's own are several times as fast; snappy is WebAssembly already. */
const compressors = {
  ...portable,
  GZIP: (input: Uint8Array) => gunzipSync(input),
  BROTLI: (input: Uint8Array) => brotliDecompressSync(input),
};

/**
 * The rows of a parquet file, of which a row group at a time is in memory. A row's value is an object with the columns
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
        const values = await whole(file, readGroup(buffer, metadata, { columns, rowStart, rowEnd }));
        onRead?.((buffer.byteLength * rowEnd) / Number(metadata.num_rows));
        for (let row = Math.max(rowStart, from.rows); row < rowEnd; row++) {
          yield parquetRow(file, row, columns, values, row - rowStart);
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

/** Strings of a row group, by column, as bytes; null or undefined where there is none. */
async function readGroup(
  file: AsyncBuffer,
  metadata: FileMetaData,
  { columns, rowStart, rowEnd }: { columns: readonly string[]; rowStart: number; rowEnd: number },
): Promise<Map<string, unknown[]>> {
  const values = new Map<string, unknown[]>(columns.map((column) => [column, []]));
  await parquetRead({
    file,
    metadata,
    columns: [...columns],
    rowStart,
    rowEnd,
    compressors,
    utf8: false,
    // Decoded by us: hyparquet would replace what is no UTF-8.
    parsers: { stringFromBytes: (bytes: Uint8Array) => bytes, jsonFromBytes: (bytes: Uint8Array) => bytes },
    onChunk: ({ columnName, columnData, rowStart: first }) => {
      const all = values.get(columnName);
      for (let i = 0; all && i < columnData.length; i++) all[first - rowStart + i] = columnData[i];
    },
  });
  return values;
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
