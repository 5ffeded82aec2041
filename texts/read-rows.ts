import { FuseMeshError } from '../errors/fusemesh-error.ts';
import { readJsonArrayRows } from './json-array.ts';
import { readJsonLineRows } from './json-lines.ts';
import { readParquetRows } from './parquet-rows.ts';
import { decodeUtf8, type Row, type RowOptions } from './row.ts';
import { type TextFormat, textEndings, textFormat } from './text-format.ts';
import { readTextParts } from './text-parts.ts';

/**
 * The rows of a file, in whatever format; a .txt file is one row, or several where it is large (text-parts.ts), which
 * have their text in any column.
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
      return readPlainText(file, format.compression, options);
    default:
      throw new FuseMeshError('invalid_argument', `${file} is none of ${textEndings}.`);
  }
}

async function* readPlainText(
  file: string,
  compression: TextFormat['compression'],
  { column = 'text', from, onRead }: RowOptions,
): AsyncGenerator<Row> {
  let { rows } = from;
  for await (const { bytes, begin, end } of readTextParts(file, compression, { from, onRead })) {
    rows++;
    const head = { place: begin === 0 ? file : `${file}, from byte ${begin}`, after: { rows, bytes: end } };
    const decoded = decodeUtf8(bytes);
    const text = begin === 0 ? decoded && withoutMark(decoded) : decoded;
    if (text === undefined) yield { ...head, problem: 'not UTF-8' };
    else yield { ...head, value: { [column]: text } };
  }
}

const withoutMark = (text: string): string => (text.startsWith('\ufeff') ? text.slice(1) : text);
