import { createHash, hash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { type FileHandle, mkdir, open, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { SkippedRows } from '../../texts/skipped-rows.ts';
import type { CorpusPosition } from './cut-corpus.ts';
import { documentOrder } from './document-order.ts';
import {
  type Journal,
  journalFile,
  orderFile,
  piecesFile,
  placeBytes,
  readJournal,
} from './stored-corpus.ts';

const placesFile = 'places';
const digestsFile = 'digests';
const digestBytes = 32;
/** Bytes of pieces that are held before they are written. */
const writeAfter = 1 << 20;
/** Places that are put in order before they are written. */
const placesAtOnce = 1 << 16;

interface WriterFiles {
  readonly pieces: FileHandle;
  readonly places: FileHandle;
  readonly digests: FileHandle;
}

/**
 * Writes the pieces of a corpus to disk as they are cut, with what is needed to go on behind any place that was saved,
 * and puts them in order at the end. In memory are the pieces that wait to be written; for the order, some bytes a
 * piece.
 */
export class CorpusWriter {
  readonly #directory: string;
  readonly #files: WriterFiles;
  #journal: Journal;
  #waiting: { pieces: Uint8Array[]; places: Buffer[]; digests: Buffer[]; bytes: number };

  private constructor(directory: string, files: WriterFiles, journal: Journal) {
    this.#directory = directory;
    this.#files = files;
    this.#journal = journal;
    this.#waiting = { pieces: [], places: [], digests: [], bytes: 0 };
  }

  /**
   * @param key of what is written: texts, cut and order; what another one has left is removed
   */
  static async open(directory: string, key: string): Promise<CorpusWriter> {
    const found = await readJournal(directory);
    const journal: Journal =
      found?.key === key
        ? found
        : { key, position: undefined, documents: 0, bytes: 0, textBytes: 0, skipped: {}, sha256: undefined };
    await mkdir(directory, { recursive: true });
    const isBegun = journal.position !== undefined;
    if (!isBegun) await removeStored(directory);
    const file = (name: string) => open(join(directory, name), isBegun ? 'r+' : 'w+');
    const files = {
      pieces: await file(piecesFile),
      places: await file(placesFile),
      digests: await file(digestsFile),
    };
    // What came after the last place that was saved is cut again.
    await files.pieces.truncate(journal.bytes);
    await files.places.truncate(journal.documents * placeBytes);
    await files.digests.truncate(journal.documents * digestBytes);
    return new CorpusWriter(directory, files, journal);
  }

  /** What was saved last. */
  get journal(): Journal {
    return this.#journal;
  }

  /**
   * @param domain number of the piece's domain
   * @param bytes of the document that it becomes, its number left out
   * @param textBytes UTF-8 bytes of its text
   */
  async append(domain: number, bytes: Uint8Array, textBytes: number): Promise<void> {
    const place = Buffer.alloc(placeBytes);
    const { documents, bytes: offset, textBytes: textBefore } = this.#journal;
    place.writeDoubleLE(offset, 0);
    place.writeUInt32LE(bytes.length, 8);
    place.writeUInt32LE(domain, 12);
    const waiting = this.#waiting;
    waiting.pieces.push(bytes);
    waiting.places.push(place);
    waiting.digests.push(hash('sha256', bytes, 'buffer'));
    waiting.bytes += bytes.length;
    this.#journal = {
      ...this.#journal,
      documents: documents + 1,
      bytes: offset + bytes.length,
      textBytes: textBefore + textBytes,
    };
    if (waiting.bytes >= writeAfter) await this.#write();
  }

  /** Once it returns, a new writer goes on behind this position, whatever happens to this process. */
  async save(position: CorpusPosition, skipped: SkippedRows): Promise<void> {
    await this.#write();
    for (const file of Object.values(this.#files)) await file.datasync();
    this.#journal = { ...this.#journal, position, skipped: { ...skipped.counts } };
    await this.#writeJournal();
  }

  /** Puts what was saved in the order of a seed; without one, it stays in its own. */
  async finish(seed?: number): Promise<void> {
    const places = await readFile(join(this.#directory, placesFile));
    const count = this.#journal.documents;
    const domains = Uint32Array.from({ length: count }, (_, piece) =>
      places.readUInt32LE(piece * placeBytes + 12),
    );
    const order =
      seed === undefined ? Uint32Array.from(domains, (_, piece) => piece) : documentOrder(domains, seed);
    const ordered = await open(join(this.#directory, orderFile), 'w');
    for (let begin = 0; begin < count; begin += placesAtOnce) {
      const some = order.subarray(begin, begin + placesAtOnce);
      const bytes = Buffer.alloc(some.length * placeBytes);
      some.forEach((piece, i) => {
        places.copy(bytes, i * placeBytes, piece * placeBytes, (piece + 1) * placeBytes);
      });
      await writeWhole(ordered, bytes, begin * placeBytes);
    }
    await ordered.datasync();
    await ordered.close();
    const whole = createHash('sha256').update(`seed ${seed}\n`);
    for await (const chunk of createReadStream(join(this.#directory, digestsFile))) whole.update(chunk);
    this.#journal = { ...this.#journal, sha256: whole.digest('hex') };
    await this.#writeJournal();
    await this.close();
    for (const name of [placesFile, digestsFile]) await rm(join(this.#directory, name), { force: true });
  }

  async close(): Promise<void> {
    for (const file of Object.values(this.#files)) await file.close();
  }

  async #write(): Promise<void> {
    const { pieces, places, digests } = this.#waiting;
    if (pieces.length === 0) return;
    this.#waiting = { pieces: [], places: [], digests: [], bytes: 0 };
    const { documents, bytes } = this.#journal;
    await writeAt(this.#files.pieces, pieces, bytes);
    await writeAt(this.#files.places, places, documents * placeBytes);
    await writeAt(this.#files.digests, digests, documents * digestBytes);
  }

  async #writeJournal(): Promise<void> {
    const path = join(this.#directory, journalFile);
    await writeFile(`${path}.part`, JSON.stringify(this.#journal), { flush: true });
    await rename(`${path}.part`, path);
  }
}

/** @param end where the last of these bytes ends in the file */
async function writeAt(file: FileHandle, parts: readonly Uint8Array[], end: number): Promise<void> {
  const bytes = Buffer.concat(parts);
  await writeWhole(file, bytes, end - bytes.length);
}

/** One write may take a part alone, as the last does that still fits on a disk. */
async function writeWhole(file: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  for (let done = 0; done < bytes.length; ) {
    const { bytesWritten } = await file.write(bytes, done, bytes.length - done, position + done);
    done += bytesWritten;
  }
}

/** Removes what a writer has written into a directory. */
export async function removeStored(directory: string): Promise<void> {
  const names = [journalFile, piecesFile, placesFile, digestsFile, orderFile];
  for (const name of names) await rm(join(directory, name), { force: true });
}
