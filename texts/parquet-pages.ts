import type { AsyncBuffer, ColumnMetaData, FileMetaData, RowGroup } from 'hyparquet';
import { parquetHeader } from 'hyparquet/src/column.js';

/** A page of a column that has one value a row. */
export interface Page {
  /** Where it is in the file, with its header; exclusive at the end. */
  readonly begin: number;
  readonly end: number;
  /** Rows before it in its group. */
  readonly firstRow: number;
  readonly rows: number;
  /** Bytes of it when it is decompressed. */
  readonly size: number;
}

/** A column of a row group. */
export interface PagedColumn {
  readonly metadata: ColumnMetaData;
  readonly dictionary: { readonly begin: number; readonly end: number } | undefined;
  readonly pages: readonly Page[];
}

/** Most headers are far smaller; one with long strings as its statistics may be larger. */
const headerBytes = 4096;
const mostHeaderBytes = 64 * 1024 * 1024;

/**
 * Finds the pages of a column that has one value a row, of which only the headers are read: parquet files need no index
 * of their pages, and most have none.
 *
 * @throws Error where there is no page at a place that must have one
 */
export async function findPages(
  file: AsyncBuffer,
  metadata: ColumnMetaData,
  groupRows: number,
): Promise<PagedColumn> {
  let begin = Number(metadata.dictionary_page_offset || metadata.data_page_offset);
  let dictionary: PagedColumn['dictionary'];
  const pages: Page[] = [];
  let firstRow = 0;
  while (firstRow < groupRows) {
    const { header, length } = await readHeader(file, begin);
    const end = begin + length + header.compressed_page_size;
    const rows = (header.data_page_header ?? header.data_page_header_v2)?.num_values;
    if (rows !== undefined) {
      pages.push({ begin, end, firstRow, rows, size: header.uncompressed_page_size });
      firstRow += rows;
    } else if (header.dictionary_page_header) {
      dictionary = { begin, end };
    }
    begin = end;
  }
  return { metadata, dictionary, pages };
}

async function readHeader(file: AsyncBuffer, begin: number) {
  for (let bytes = headerBytes; ; bytes *= 16) {
    const end = Math.min(begin + bytes, file.byteLength);
    const reader = { view: new DataView(await file.slice(begin, end)), offset: 0 };
    try {
      return { header: parquetHeader(reader), length: reader.offset };
    } catch (error) {
      if (end === file.byteLength || bytes >= mostHeaderBytes) throw error;
    }
  }
}

/**
 * A file that has nothing but some neighbouring pages of a column: what hyparquet reads of it is as much as they are.
 *
 * @returns the file, what to know of it, and how many rows of its group come before it
 */
export function fileOfPages(
  file: AsyncBuffer,
  metadata: FileMetaData,
  { column, pages }: { readonly column: PagedColumn; readonly pages: readonly Page[] },
): { readonly file: AsyncBuffer; readonly metadata: FileMetaData; readonly firstRow: number } {
  const { dictionary, metadata: whole } = column;
  const { begin, firstRow } = pages[0];
  const { end } = pages[pages.length - 1];
  const rows = BigInt(pages.reduce((sum, page) => sum + page.rows, 0));
  // An offset of 0 would be none.
  const dictionaryBegin = magicBytes;
  const pagesBegin = dictionaryBegin + (dictionary ? dictionary.end - dictionary.begin : 0);
  const byteLength = pagesBegin + end - begin;
  const chunk: ColumnMetaData = {
    ...whole,
    num_values: rows,
    total_compressed_size: BigInt(byteLength - dictionaryBegin),
    data_page_offset: BigInt(pagesBegin),
  };
  delete chunk.dictionary_page_offset;
  if (dictionary) chunk.dictionary_page_offset = BigInt(dictionaryBegin);
  const group: RowGroup = {
    columns: [{ file_offset: 0n, meta_data: chunk }],
    total_byte_size: whole.total_uncompressed_size,
    num_rows: rows,
  };
  return {
    file: {
      byteLength,
      async slice(from, to = byteLength) {
        const bytes = new Uint8Array(byteLength);
        if (dictionary) {
          bytes.set(new Uint8Array(await file.slice(dictionary.begin, dictionary.end)), dictionaryBegin);
        }
        bytes.set(new Uint8Array(await file.slice(begin, end)), pagesBegin);
        return bytes.buffer.slice(from, to);
      },
    },
    metadata: { ...metadata, num_rows: rows, row_groups: [group] },
    firstRow,
  };
}

const magicBytes = 4;
