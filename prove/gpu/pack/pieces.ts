import { createHash } from 'node:crypto';
import { type FileHandle, open } from 'node:fs/promises';
import { join } from 'node:path';

/** A file that holds some bytes of a stream. */
export interface Piece {
  readonly name: string;
  readonly sha256: string;
}

/**
 * Writes a stream into files of at most so many bytes, DIRECTORY/NAME.000 and so on.
 *
 * @returns the files in their order, which is that of their names too
 */
export async function writePieces(
  stream: AsyncIterable<Uint8Array>,
  directory: string,
  name: string,
  mostBytes: number,
): Promise<Piece[]> {
  const pieces: Piece[] = [];
  let file: FileHandle | undefined;
  let hash = createHash('sha256');
  let room = 0;
  const finish = async () => {
    if (!file) return;
    await file.close();
    pieces.push({ name: pieceName(name, pieces.length), sha256: hash.digest('hex') });
    file = undefined;
  };
  for await (const chunk of stream) {
    for (let begin = 0; begin < chunk.length; ) {
      if (room === 0) {
        await finish();
        file = await open(join(directory, pieceName(name, pieces.length)), 'w');
        hash = createHash('sha256');
        room = mostBytes;
      }
      const part = chunk.subarray(begin, begin + room);
      await file!.writeFile(part);
      hash.update(part);
      begin += part.length;
      room -= part.length;
    }
  }
  await finish();
  return pieces;
}

const pieceName = (name: string, number: number): string => `${name}.${String(number).padStart(3, '0')}`;
