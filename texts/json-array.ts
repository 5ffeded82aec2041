import { FuseMeshError } from '../errors/fusemesh-error.ts';
import { readBytes } from './read-bytes.ts';
import { jsonValue, type Row, type RowOptions } from './row.ts';
import type { TextFormat } from './text-format.ts';

const sign = (character: string): number => character.charCodeAt(0);
const quote = sign('"');
const backslash = sign('\\');
const comma = sign(',');
const openArray = sign('[');
const closeArray = sign(']');
const openObject = sign('{');
const closeObject = sign('}');

/**
 * The elements of a JSON file that holds one array, one after another: the file is split by its brackets, quotes and
 * commas, so it may be larger than the memory.
 *
 * @throws FuseMeshError invalid_argument where the file is no array, or an element no JSON
 */
export async function* readJsonArrayRows(
  file: string,
  compression: TextFormat['compression'],
  { from, onRead }: RowOptions,
): AsyncGenerator<Row> {
  const refuse = (what: string) =>
    new FuseMeshError('invalid_argument', `${file} ${what}: make it [{…}, {…}], or .jsonl.`);
  let { rows } = from;
  const splitter = new ArraySplitter(from.rows > 0 ? from.bytes : undefined);
  for await (const chunk of readBytes(file, { compression, from: from.bytes, onRead })) {
    for (const element of splitter.split(chunk)) {
      if ('problem' in element) throw refuse(element.problem);
      rows++;
      const place = `${file}, element ${rows}`;
      const read = jsonValue(element.json);
      if ('problem' in read && read.problem === 'not JSON') throw refuse(`is broken at element ${rows}`);
      yield { place, after: { rows, bytes: element.end }, ...read };
    }
  }
  if (!splitter.isClosed) throw refuse('ends before its array does');
}

/** Finds where the elements of the outermost array end. */
class ArraySplitter {
  /** Bytes before the chunk. */
  #before = 0;
  #depth = 0;
  #isInString = false;
  #isEscaped = false;
  #begun: Buffer[] = [];
  isClosed = false;

  /** @param inside bytes of the file before the first chunk, where that begins between two elements */
  constructor(inside: number | undefined) {
    if (inside === undefined) return;
    this.#before = inside;
    this.#depth = 1;
  }

  *split(chunk: Buffer): Generator<{ json: Buffer; end: number } | { problem: string }> {
    let begin = 0;
    for (let i = 0; i < chunk.length; i++) {
      const byte = chunk[i];
      if (this.#isInString) {
        if (this.#isEscaped) this.#isEscaped = false;
        else if (byte === backslash) this.#isEscaped = true;
        else if (byte === quote) this.#isInString = false;
      } else if (this.#depth === 0) {
        if (byte === openArray && !this.isClosed) {
          this.#depth = 1;
          begin = i + 1;
        } else if (!isBlank(byte) && !(isMark(byte) && !this.isClosed)) {
          yield { problem: this.isClosed ? 'goes on behind its array' : 'is no array' };
          return;
        }
      } else if (byte === quote) {
        this.#isInString = true;
      } else if (byte === openArray || byte === openObject) {
        this.#depth++;
      } else if (this.#depth > 1 && (byte === closeArray || byte === closeObject)) {
        this.#depth--;
      } else if (this.#depth === 1 && (byte === comma || byte === closeArray)) {
        const json = Buffer.concat([...this.#begun, chunk.subarray(begin, i)]);
        this.#begun = [];
        begin = i + 1;
        this.isClosed = byte === closeArray;
        if (this.isClosed) this.#depth = 0;
        const isNone = this.isClosed && json.every(isBlank);
        // Behind the last element reading goes on at the bracket.
        if (!isNone) yield { json, end: this.#before + i + (this.isClosed ? 0 : 1) };
      }
    }
    if (this.#depth > 0) this.#begun.push(chunk.subarray(begin));
    this.#before += chunk.length;
  }
}

const isBlank = (byte: number): boolean => byte === 0x20 || (byte >= 0x09 && byte <= 0x0d);
/** One of the three bytes of a byte order mark. */
const isMark = (byte: number): boolean => byte === 0xef || byte === 0xbb || byte === 0xbf;
