import { type FileHandle, open } from 'node:fs/promises';
import {
  type AsyncBuffer,
  type FileMetaData,
  parquetMetadataAsync,
  parquetSchema,
  type SchemaElement,
  type SchemaTree,
} from 'hyparquet';
import { FuseMeshError } from '../errors/fusemesh-error.ts';
import { readGroup } from './parquet-group.ts';
import { decodeUtf8, type Row, type RowOptions } from './row.ts';
import { contentKeys, formatKeys, keysBeside, type RowPurpose, teacherKey } from './row-format.ts';

/**
 * The rows of a parquet file, of which a part of a row group at a time is in memory. A row's value is an object with
 * the columns that make its content: strings, and lists and structs as arrays and objects. Of structs, what is null is
 * left out: Arrow gives all structs of a column the keys of each.
 *
 * @throws FuseMeshError invalid_argument where no column holds texts or messages, or that which is named does not, and
 *   for a file that is broken
 */
export async function* readParquetRows(
  file: string,
  { column, purpose = 'texts', from, onRead }: RowOptions,
): AsyncGenerator<Row> {
  const handle = await open(file);
  try {
    const buffer = await asyncBuffer(handle);
    const metadata = await whole(file, parquetMetadataAsync(buffer));
    const columns = wantedColumns(file, metadata, { column, purpose });
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
    const plain = plainValue(values.get(column)?.[index]);
    if (plain === undefined) return { ...head, problem: 'not UTF-8' };
    value[column] = plain;
  }
  return { ...head, value };
}

/** A value as JSON has it; undefined where a string in it is no UTF-8. */
function plainValue(value: unknown): unknown {
  if (value instanceof Uint8Array) return decodeUtf8(value);
  if (typeof value === 'bigint') return Number(value);
  if (typeof value !== 'object' || value === null || value instanceof Date) return value ?? null;
  if (Array.isArray(value)) {
    const items = value.map(plainValue);
    return items.includes(undefined) ? undefined : items;
  }
  const entries: [string, unknown][] = [];
  for (const [key, each] of Object.entries(value)) {
    if (each === null || each === undefined) continue;
    const plain = plainValue(each);
    if (plain === undefined) return undefined;
    entries.push([key, plain]);
  }
  return Object.fromEntries(entries);
}

function wantedColumns(
  file: string,
  metadata: FileMetaData,
  { column, purpose }: { readonly column: string | undefined; readonly purpose: RowPurpose },
): readonly string[] {
  const { children } = parquetSchema(metadata);
  const namesOf = (some: readonly SchemaTree[]) => some.map(({ element }) => element.name);
  const names = namesOf(children);
  const conversations = namesOf(children.filter(hasMessages));
  const usable = namesOf(children.filter((child) => isString(child.element) || hasMessages(child)));
  const keys = contentKeys((key) => usable.includes(key), column, purpose);
  const isConversation = keys?.some((key) => conversations.includes(key));
  const beside = [...(isConversation ? keysBeside : []), ...(purpose === 'prompts' ? [teacherKey] : [])];
  if (keys !== undefined) return [...keys, ...beside.filter((key) => names.includes(key))];
  const problem =
    column === undefined
      ? `none of the columns ${formatKeys[purpose]}`
      : names.includes(column)
        ? `no texts or messages in its column "${column}"`
        : `no column "${column}"`;
  throw new FuseMeshError(
    'invalid_argument',
    `${file} has ${problem}; its columns of texts or messages: ${usable.join(', ') || 'none'}. Set column to one of them.`,
  );
}

/** Whether a column is a list of structs that say who speaks. */
const hasMessages = ({ children }: SchemaTree): boolean =>
  children.some((child) => ['role', 'from'].includes(child.element.name) || hasMessages(child));

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
