import { createHash, type Hash } from 'node:crypto';
import { type FileHandle, open } from 'node:fs/promises';
import { FuseMeshError } from '../../errors/fusemesh-error.ts';
import { bytesOfRecords, checksumOf, entryBytes, writePlace } from './record-index.ts';
import { dataPath, indexPath } from './recording-files.ts';

/** Appends records to one file of a recording, and their places to its index. */
export class PartWriter {
  readonly part: string;
  readonly #data: FileHandle;
  readonly #index: FileHandle;
  readonly #digest: Hash;
  #bytes: number;
  #indexBytes: number;
  #waiting: Uint8Array[] = [];
  #waitingPlaces: Buffer[] = [];
  #waitingBytes = 0;

  private constructor(part: string, data: FileHandle, index: FileHandle, known: Buffer, bytes: number) {
    this.part = part;
    this.#data = data;
    this.#index = index;
    this.#digest = createHash('sha256').update(known);
    this.#bytes = bytes;
    this.#indexBytes = known.length;
  }

  /**
   * To go on behind the first records: {@link cutOff} is to be called before anything is written.
   *
   * @param known records that were saved, and SHA-256 of their index
   * @param records how many of them are kept
   * @throws FuseMeshError data_loss where they are not there any more
   */
  static async open(
    directory: string,
    part: string,
    known: { readonly records: number; readonly sha256: string | undefined },
    records: number,
  ): Promise<PartWriter> {
    const index = await openOrCreate(indexPath(directory, part));
    const saved = await readWhole(index, known.records * entryBytes);
    if (known.records > 0 && createHash('sha256').update(saved).digest('hex') !== known.sha256) {
      throw damaged(indexPath(directory, part));
    }
    const data = await openOrCreate(dataPath(directory, part));
    const kept = saved.subarray(0, records * entryBytes);
    const bytes = bytesOfRecords(kept, records);
    if ((await data.stat()).size < bytes) throw damaged(dataPath(directory, part));
    return new PartWriter(part, data, index, kept, bytes);
  }

  /** Cuts off what came after the records that are kept. */
  async cutOff(): Promise<void> {
    await this.#index.truncate(this.#indexBytes);
    await this.#data.truncate(this.#bytes);
  }

  /** Bytes of all records, those that wait to be written included. */
  get bytes(): number {
    return this.#bytes;
  }

  get waitingBytes(): number {
    return this.#waitingBytes;
  }

  /** SHA-256 of the index, as far as it is written. */
  get indexSha256(): string {
    return this.#digest.copy().digest('hex');
  }

  /** @param bytes of a record; undefined where there is none of this number */
  append(bytes: Uint8Array = new Uint8Array()): void {
    const place = { offset: this.#bytes, length: bytes.length, checksum: checksumOf(bytes) };
    this.#waitingPlaces.push(writePlace(place));
    this.#waiting.push(bytes);
    this.#waitingBytes += bytes.length;
    this.#bytes += bytes.length;
  }

  /** Hands what waits to the operating system. */
  async write(): Promise<void> {
    if (this.#waitingPlaces.length === 0) return;
    const [data, places] = [Buffer.concat(this.#waiting), Buffer.concat(this.#waitingPlaces)];
    const at = this.#bytes - data.length;
    this.#waiting = [];
    this.#waitingPlaces = [];
    this.#waitingBytes = 0;
    await writeAll(this.#data, data, at);
    await writeAll(this.#index, places, this.#indexBytes);
    this.#indexBytes += places.length;
    this.#digest.update(places);
  }

  /** Returns when what is written is on disk. */
  async sync(): Promise<void> {
    await this.#data.datasync();
    await this.#index.datasync();
  }

  async close(): Promise<void> {
    await this.#data.close();
    await this.#index.close();
  }
}

async function openOrCreate(path: string): Promise<FileHandle> {
  try {
    return await open(path, 'r+');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    return open(path, 'w+');
  }
}

/** Fewer bytes where the file is shorter. */
async function readWhole(file: FileHandle, length: number): Promise<Buffer> {
  const bytes = Buffer.alloc(length);
  const { bytesRead } = await file.read(bytes, 0, length, 0);
  return bytes.subarray(0, bytesRead);
}

async function writeAll(file: FileHandle, bytes: Buffer, at: number): Promise<void> {
  for (let written = 0; written < bytes.length; ) {
    const { bytesWritten } = await file.write(bytes, written, bytes.length - written, at + written);
    written += bytesWritten;
  }
}

const damaged = (path: string): FuseMeshError =>
  new FuseMeshError('data_loss', `${path} is not what was written: remove the recording and record again.`);
