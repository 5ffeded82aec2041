import { cutBefore } from './cut.ts';
import { readBytes } from './read-bytes.ts';
import { decodeUtf8, type RowOptions } from './row.ts';
import type { TextFormat } from './text-format.ts';

/** A file of less than twice as many bytes is one text. */
export const partBytes = 2 * 1024 * 1024;
/** Bytes before a part's end in which a place to cut is looked for. */
const tailBytes = 64 * 1024;

/** Some text of a file, as it is there. */
export interface TextPart {
  readonly bytes: Buffer;
  /** Where in the file it is, in bytes after decompression. */
  readonly begin: number;
  readonly end: number;
}

/**
 * A file of plain text, in one part, or where it is large in several, each cut as a text is (cut.ts): however long the
 * file is, little of it is in memory. The parts joined are the file.
 *
 * @throws FuseMeshError as {@link readBytes}
 */
export async function* readTextParts(
  file: string,
  compression: TextFormat['compression'],
  { from, onRead }: Pick<RowOptions, 'from' | 'onRead'>,
): AsyncGenerator<TextPart> {
  let begin = from.bytes;
  let waiting: Buffer[] = [];
  let length = 0;
  for await (const chunk of readBytes(file, { compression, from: begin, onRead })) {
    waiting.push(chunk);
    length += chunk.length;
    while (length >= 2 * partBytes) {
      const all = Buffer.concat(waiting);
      const end = begin + placeToCut(all.subarray(0, partBytes));
      yield { bytes: all.subarray(0, end - begin), begin, end };
      // A copy: what was given away need not stay in memory for it.
      waiting = [Buffer.from(all.subarray(end - begin))];
      length = waiting[0].length;
      begin = end;
    }
  }
  if (length > 0 || from.rows === 0) yield { bytes: Buffer.concat(waiting), begin, end: begin + length };
}

/** How many of the bytes to take. */
function placeToCut(bytes: Buffer): number {
  const begin = characterAt(bytes, bytes.length - tailBytes);
  const tail = decodeUtf8(bytes.subarray(begin, characterAt(bytes, bytes.length - 1)));
  // Whoever reads the part finds that it is no UTF-8.
  if (tail === undefined) return bytes.length;
  return begin + Buffer.byteLength(tail.slice(0, cutBefore(tail, tail.length - 1)));
}

/** The place, or the one before it where the character begins that it is inside of. */
function characterAt(bytes: Buffer, place: number): number {
  let begin = place;
  while (begin > 0 && (bytes[begin] & 0xc0) === 0x80) begin--;
  return begin;
}
