import { closeSync, openSync, readSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { create, fromBinary } from '@bufbuild/protobuf';
import { FuseMeshError } from '../../errors/fusemesh-error.ts';
import { SkippedRows } from '../../texts/skipped-rows.ts';
import {
  type CorpusManifest,
  CorpusManifestSchema,
  type Document,
  DocumentSchema,
} from '../../wire/generated/fusemesh/v1/corpus_pb.ts';
import type { CorpusPosition } from './cut-corpus.ts';

export const journalFile = 'journal.json';
export const piecesFile = 'pieces';
/** Places of the pieces, in the order of the documents' numbers. */
export const orderFile = 'order';
/** A place: offset as float64, length and domain as uint32. */
export const placeBytes = 16;

/** How far the cutting of a corpus has come. */
export interface Journal {
  readonly key: string;
  /** Undefined where nothing was saved yet. */
  readonly position: CorpusPosition | undefined;
  readonly documents: number;
  readonly bytes: number;
  readonly textBytes: number;
  readonly skipped: SkippedRows['counts'];
  /** Of the whole corpus in its order, hexadecimal; undefined until all is cut. */
  readonly sha256: string | undefined;
}

/** What was saved last in a directory; undefined where nothing was. */
export async function readJournal(directory: string): Promise<Journal | undefined> {
  try {
    return JSON.parse(await readFile(join(directory, journalFile), 'utf8')) as Journal;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** The documents of a run on disk, in their order. */
export class StoredCorpus {
  readonly #pieces: number;
  readonly #order: number;
  readonly manifest: CorpusManifest;

  /** @param journal of a corpus that is cut to its end */
  constructor(directory: string, journal: Journal, contextLength: number) {
    this.#pieces = openSync(join(directory, piecesFile), 'r');
    this.#order = openSync(join(directory, orderFile), 'r');
    this.manifest = create(CorpusManifestSchema, {
      documents: BigInt(journal.documents),
      textBytes: BigInt(journal.textBytes),
      sha256: new Uint8Array(Buffer.from(journal.sha256 ?? '', 'hex')),
      contextLength,
    });
  }

  get count(): number {
    return Number(this.manifest.documents);
  }

  /**
   * A document by its number, which there must be. It is read at once: a few kilobytes, for which a disk needs some
   * milliseconds at most.
   */
  at(number: number): Document {
    const place = read(this.#order, number * placeBytes, placeBytes);
    const bytes = read(this.#pieces, place.readDoubleLE(0), place.readUInt32LE(8));
    const document = fromBinary(DocumentSchema, bytes);
    document.number = BigInt(number);
    return document;
  }

  close(): void {
    closeSync(this.#pieces);
    closeSync(this.#order);
  }
}

/**
 * The documents that a directory holds under a key, with what was left out of them. Where it holds others, or not all,
 * `write` has to write them there first.
 */
export async function openStored(
  directory: string,
  { key, contextLength }: { readonly key: string; readonly contextLength: number },
  write: () => Promise<void>,
): Promise<{ readonly documents: StoredCorpus; readonly skipped: SkippedRows }> {
  let journal = await readJournal(directory);
  if (journal?.key !== key || journal.sha256 === undefined) {
    await write();
    journal = await readJournal(directory);
  }
  if (journal === undefined) throw new Error(`no journal in ${directory}`);
  const skipped = new SkippedRows(journal.skipped);
  return { documents: new StoredCorpus(directory, journal, contextLength), skipped };
}

function read(file: number, position: number, length: number): Buffer {
  const bytes = Buffer.alloc(length);
  if (readSync(file, bytes, 0, length, position) === length) return bytes;
  throw new FuseMeshError('data_loss', 'The cut corpus on disk is too short: remove it, and feed again.');
}
