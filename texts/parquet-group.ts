import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import {
  type AsyncBuffer,
  type ColumnChunk,
  type FileMetaData,
  parquetRead,
  parquetSchema,
  type RowGroup,
} from 'hyparquet';
import { compressors as portable } from 'hyparquet-compressors';
import { fileOfPages, findPages, type Page, type PagedColumn } from './parquet-pages.ts';

/** Node's own are several times as fast; snappy is WebAssembly already. */
const compressors = {
  ...portable,
  GZIP: (input: Uint8Array) => gunzipSync(input),
  BROTLI: (input: Uint8Array) => brotliDecompressSync(input),
};

/** Decompressed bytes of a row group that are in memory at a time; a page is never divided. */
const sliceBytes = 16e6;

/** Some rows of a row group. */
export interface GroupSlice {
  /** In the file, exclusive at the end. */
  readonly rowStart: number;
  readonly rowEnd: number;
  /** By column, [rows]; strings as bytes, null or undefined where there is none. */
  readonly values: ReadonlyMap<string, readonly unknown[]>;
}

interface Rows {
  readonly rowStart: number;
  readonly rowEnd: number;
}

/**
 * Reads a row group slice by slice, however large it is: some writers make one group of a whole file. A group with a
 * column of lists or structs is read as a whole where the file has no index of its pages: where in them a row begins
 * is not known then.
 *
 * @param rowStart of the group in the file
 * @param from rows of the file that are left out; a slice that has later ones too comes as a whole
 * @throws Error of many kinds for a file that is broken
 */
export async function* readGroup(
  file: AsyncBuffer,
  metadata: FileMetaData,
  {
    group,
    rowStart,
    columns,
    from,
  }: {
    readonly group: RowGroup;
    readonly rowStart: number;
    readonly columns: readonly string[];
    readonly from: number;
  },
): AsyncGenerator<GroupSlice> {
  const groupRows = Number(group.num_rows);
  const chunks = group.columns.filter(({ meta_data }) =>
    columns.includes(meta_data?.path_in_schema[0] ?? ''),
  );
  const paged = await pagedColumns(file, metadata, { chunks, groupRows });
  const whole = columns.filter((column) => !paged.has(column));
  for (const [begin, end] of slices([...paged.values()], groupRows)) {
    const rows = { rowStart: rowStart + begin, rowEnd: rowStart + end };
    if (rows.rowEnd <= from) continue;
    const values = await readColumns(file, metadata, whole, rows);
    for (const [name, column] of paged)
      values.set(name, await readPages(file, metadata, column, { begin, end }));
    yield { ...rows, values };
  }
}

/** The columns of which a slice can be read alone, by name: all or none, and none where the group is small. */
async function pagedColumns(
  file: AsyncBuffer,
  metadata: FileMetaData,
  { chunks, groupRows }: { readonly chunks: readonly ColumnChunk[]; readonly groupRows: number },
): Promise<ReadonlyMap<string, PagedColumn>> {
  const paged = new Map<string, PagedColumn>();
  const bytes = chunks.reduce((sum, { meta_data }) => sum + Number(meta_data?.total_uncompressed_size), 0);
  if (bytes <= sliceBytes) return paged;
  const oneValueARow = new Set(
    parquetSchema(metadata)
      .children.filter(({ children, element }) => !children.length && element.repetition_type !== 'REPEATED')
      .map(({ element }) => element.name),
  );
  const isFlat = ({ meta_data }: ColumnChunk) => oneValueARow.has(meta_data?.path_in_schema[0] ?? '');
  if (chunks.some((chunk) => !isFlat(chunk) && !chunk.offset_index_length)) return paged;
  for (const chunk of chunks.filter(isFlat)) {
    const column = chunk.meta_data;
    if (column) paged.set(column.path_in_schema[0], await findPages(file, column, groupRows));
  }
  return paged;
}

/** Rows of the group that are read at once: some pages of its largest column. */
function slices(columns: readonly PagedColumn[], groupRows: number): (readonly [number, number])[] {
  const size = ({ metadata }: PagedColumn) => metadata.total_uncompressed_size;
  const [first, ...others] = columns;
  if (first === undefined) return [[0, groupRows]];
  const largest = others.reduce((most, column) => (size(column) > size(most) ? column : most), first);
  const found: [number, number][] = [];
  let begin = 0;
  let bytes = 0;
  for (const page of largest.pages) {
    if (bytes > 0 && bytes + page.size > sliceBytes) {
      found.push([begin, page.firstRow]);
      begin = page.firstRow;
      bytes = 0;
    }
    bytes += page.size;
  }
  found.push([begin, groupRows]);
  return found;
}

/** Values of some rows of a group, which are as many. */
async function readPages(
  file: AsyncBuffer,
  metadata: FileMetaData,
  column: PagedColumn,
  { begin, end }: { readonly begin: number; readonly end: number },
): Promise<unknown[]> {
  const overlaps = ({ firstRow, rows }: Page) => firstRow < end && firstRow + rows > begin;
  const pages = column.pages.filter(overlaps);
  const part = fileOfPages(file, metadata, { column, pages });
  const [name] = column.metadata.path_in_schema;
  const rows = { rowStart: begin - part.firstRow, rowEnd: end - part.firstRow };
  return (await readColumns(part.file, part.metadata, [name], rows)).get(name) ?? [];
}

async function readColumns(
  file: AsyncBuffer,
  metadata: FileMetaData,
  columns: readonly string[],
  { rowStart, rowEnd }: Rows,
): Promise<Map<string, unknown[]>> {
  const values = new Map<string, unknown[]>(columns.map((column) => [column, []]));
  if (columns.length === 0) return values;
  await parquetRead({
    file,
    metadata,
    columns: [...columns],
    rowStart,
    rowEnd,
    compressors,
    utf8: false,
    useOffsetIndex: true,
    // Decoded by us: hyparquet would replace what is no UTF-8.
    parsers: { stringFromBytes: (bytes: Uint8Array) => bytes, jsonFromBytes: (bytes: Uint8Array) => bytes },
    onChunk: ({ columnName, columnData, rowStart: first }) => {
      const all = values.get(columnName);
      const begin = Math.max(0, rowStart - first);
      for (let i = begin; all && i < columnData.length && first + i < rowEnd; i++) {
        all[first - rowStart + i] = columnData[i];
      }
    },
  });
  return values;
}
