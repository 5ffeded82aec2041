import { stat } from 'node:fs/promises';
import { FuseMeshError } from '../errors/fusemesh-error.ts';
import { readBytes } from './read-bytes.ts';
import { beginning, jsonValue, type Row, type RowOptions } from './row.ts';
import type { TextFormat } from './text-format.ts';

/** One line of a .jsonl file. */
export interface JsonLine {
  readonly value: unknown;
  /** FILE:LINE, for messages. */
  readonly place: string;
}

const lineFeed = 0x0a;
const byteOrderMark = Buffer.from('\ufeff');
const onlyBlanks = /^[ \t\r]*$/;

/**
 * The lines of a .jsonl file (https://jsonlines.org): UTF-8, separated by line feeds alone, as JSON strings may hold
 * other line separators. Blank lines, and a byte order mark in front of the first, are left out.
 *
 * @throws FuseMeshError not_found where there is no such file, invalid_argument for a line that is not JSON or not
 *   UTF-8
 */
export async function* readJsonLines(file: string): AsyncGenerator<JsonLine> {
  const found = await stat(file).catch(() => undefined);
  if (found === undefined || found.isDirectory()) {
    throw new FuseMeshError('not_found', `No file at ${file}: correct the path.`);
  }
  for await (const row of readJsonLineRows(file, 'none', { column: undefined, from: beginning })) {
    if ('value' in row) yield { value: row.value, place: row.place };
    else throw new FuseMeshError('invalid_argument', `${row.place} is ${lineProblem[row.problem]}`);
  }
}

const lineProblem: Partial<Record<string, string>> = {
  'not UTF-8': 'not UTF-8 text: convert the file, for example with "iconv -f LATIN1 -t UTF-8".',
  'not JSON': 'not JSON: put one object on each line.',
};

/** The lines of a file as {@link readJsonLines}, from a position on; a line that cannot be read is a row all the same. */
export async function* readJsonLineRows(
  file: string,
  compression: TextFormat['compression'],
  { from, onRead }: RowOptions,
): AsyncGenerator<Row> {
  let { rows, bytes } = from;
  for await (const line of linesOf(readBytes(file, { compression, from: bytes, onRead }))) {
    bytes += line.length + 1;
    const isMarked = rows === 0 && line.subarray(0, byteOrderMark.length).equals(byteOrderMark);
    const json = isMarked ? line.subarray(byteOrderMark.length) : line;
    rows++;
    if (isBlank(json)) continue;
    yield { place: `${file}:${rows}`, after: { rows, bytes }, ...jsonValue(json) };
  }
}

const isBlank = (line: Buffer): boolean => line.length < 100 && onlyBlanks.test(line.toString('latin1'));

/** The bytes between line feeds. */
async function* linesOf(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let begun: Buffer[] = [];
  for await (const chunk of chunks) {
    let begin = 0;
    for (let end = chunk.indexOf(lineFeed); end !== -1; end = chunk.indexOf(lineFeed, begin)) {
      const last = chunk.subarray(begin, end);
      yield begun.length === 0 ? last : Buffer.concat([...begun, last]);
      begun = [];
      begin = end + 1;
    }
    if (begin < chunk.length) begun.push(chunk.subarray(begin));
  }
  if (begun.length > 0) yield Buffer.concat(begun);
}
