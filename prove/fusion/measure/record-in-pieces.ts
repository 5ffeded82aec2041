import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type Recording, readRecording, writeRecording } from './recording-file.ts';

/** Documents of a piece: a whole number of a teacher's batches. */
const pieceLength = 64;
/** Between two messages on progress, in milliseconds. */
const pause = 10_000;

/**
 * Records what a source says about texts, and keeps every piece of it: a call after one that was stopped resumes after the
 * last piece. In each piece documents are numbered from 0: a reader counts them by their position in the recording.
 *
 * @param path of the recording; the directory of its pieces is beside it
 * @param record records a piece
 * @param say called from time to time with a message on progress
 */
export async function recordInPieces(
  path: string,
  texts: readonly string[],
  record: (texts: readonly string[]) => Promise<Recording>,
  say: (message: string) => void,
): Promise<void> {
  const directory = `${path}.pieces`;
  const messages: Uint8Array[] = [];
  const began = performance.now();
  let said = began;
  let scored = 0;
  for (let begin = 0; begin < texts.length; begin += pieceLength) {
    const piece = join(directory, `${begin}.bin`);
    const kept = await readRecording(piece);
    const recorded = kept ?? (await record(texts.slice(begin, begin + pieceLength)));
    messages.push(...recorded);
    if (kept) continue;
    await writeRecording(piece, recorded);
    scored += recorded.length;
    const now = performance.now();
    if (now - said < pause) continue;
    said = now;
    const minutes = ((now - began) / 60_000 / scored) * (texts.length - messages.length);
    say(`${messages.length} of ${texts.length} documents scored, ${minutes.toFixed(0)} minutes left`);
  }
  await writeRecording(path, messages);
  await rm(directory, { recursive: true });
}
