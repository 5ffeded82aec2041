import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { TextDecoder } from 'node:util';
import { FuseMeshError } from '../errors/fusemesh-error.ts';

/** One line of a .jsonl file. */
export interface JsonLine {
  readonly value: unknown;
  /** FILE:LINE, for messages. */
  readonly place: string;
}

const lineFeed = 0x0a;
const byteOrderMark = '\ufeff';

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
  // Strict: a byte that is no UTF-8 would be trained on as U+FFFD.
  const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  let number = 0;
  for await (const bytes of linesOf(createReadStream(file))) {
    const place = `${file}:${++number}`;
    const line = decode(bytes, utf8, place);
    const json = number === 1 && line.startsWith(byteOrderMark) ? line.slice(1) : line;
    if (json.trim() !== '') yield { value: parse(json, place), place };
  }
}

/** The bytes between line feeds. */
async function* linesOf(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let begun: Buffer[] = [];
  for await (const chunk of chunks) {
    let begin = 0;
    for (let end = chunk.indexOf(lineFeed); end !== -1; end = chunk.indexOf(lineFeed, begin)) {
      yield Buffer.concat([...begun, chunk.subarray(begin, end)]);
      begun = [];
      begin = end + 1;
    }
    if (begin < chunk.length) begun.push(chunk.subarray(begin));
  }
  if (begun.length > 0) yield Buffer.concat(begun);
}

function decode(bytes: Buffer, utf8: TextDecoder, place: string): string {
  try {
    return utf8.decode(bytes);
  } catch (cause) {
    throw new FuseMeshError(
      'invalid_argument',
      `${place} is not UTF-8 text: convert the file, for example with "iconv -f LATIN1 -t UTF-8".`,
      { cause },
    );
  }
}

function parse(line: string, place: string): unknown {
  try {
    return JSON.parse(line);
  } catch (cause) {
    throw new FuseMeshError('invalid_argument', `${place} is not JSON: put one object on each line.`, {
      cause,
    });
  }
}
