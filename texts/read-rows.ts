import { constants } from 'node:buffer';
import { FuseMeshError } from '../errors/fusemesh-error.ts';
import { readJsonArrayRows } from './json-array.ts';
import { readJsonLineRows } from './json-lines.ts';
import { readParquetRows } from './parquet-rows.ts';
import { readBytes } from './read-bytes.ts';
import { decodeUtf8, type Row, type RowOptions } from './row.ts';
import { type TextFormat, textEndings, textFormat } from './text-format.ts';

/**
 * The rows of a file, in whatever format; a .txt file is one row, which has its text in any column.
 *
 * @throws FuseMeshError invalid_argument for a file that is broken or of another kind
 */
export function readRows(file: string, options: RowOptions): AsyncGenerator<Row> {
  const format = textFormat(file);
  switch (format?.rows) {
    case 'parquet':
      return readParquetRows(file, options);
    case 'json lines':
      return readJsonLineRows(file, format.compression, options);
    case 'json array':
      return readJsonArrayRows(file, format.compression, options);
    case 'whole':
      return readWholeFile(file, format.compression, options);
    default:
      throw new FuseMeshError('invalid_argument', `${file} is none of ${textEndings}.`);
  }
}

async function* readWholeFile(
  file: string,
  compression: TextFormat['compression'],
  { column = 'text', from, onRead }: RowOptions,
): AsyncGenerator<Row> {
  if (from.rows > 0) return;
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of readBytes(file, { compression, from: 0, onRead })) {
    chunks.push(chunk);
    bytes += chunk.length;
    if (bytes > constants.MAX_STRING_LENGTH) {
      throw new FuseMeshError(
        'invalid_argument',
        `${file} has more than ${constants.MAX_STRING_LENGTH} bytes, the most that a text can have: split it, or make it .jsonl.`,
      );
    }
  }
  const text = decodeUtf8(Buffer.concat(chunks));
  const head = { place: file, after: { rows: 1, bytes } };
  if (text === undefined) yield { ...head, problem: 'not UTF-8' };
  else yield { ...head, value: { [column]: withoutMark(text) } };
}

const withoutMark = (text: string): string => (text.startsWith('\ufeff') ? text.slice(1) : text);
