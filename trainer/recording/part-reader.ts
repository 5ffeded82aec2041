import { createHash } from 'node:crypto';
import { type FileHandle, open, readFile } from 'node:fs/promises';
import { FuseMeshError } from '../../errors/fusemesh-error.ts';
import { unpackRecord } from './pack-record.ts';
import { checksumOf, entryBytes, readPlace } from './record-index.ts';
import { dataPath, indexPath } from './recording-files.ts';

/** Reads records from one file of a recording by their numbers; any number of readers may. */
export class PartReader {
  readonly #path: string;
  readonly #data: FileHandle;
  readonly #index: Buffer;

  private constructor(path: string, data: FileHandle, index: Buffer) {
    this.#path = path;
    this.#data = data;
    this.#index = index;
  }

  /**
   * @param sha256 of the index of these records
   * @throws FuseMeshError data_loss where it is another one
   */
  static async open(
    directory: string,
    part: string,
    { records, sha256 }: { readonly records: number; readonly sha256: string | undefined },
  ): Promise<PartReader> {
    const path = indexPath(directory, part);
    const index = (await orLost(path, readFile(path))).subarray(0, records * entryBytes);
    if (createHash('sha256').update(index).digest('hex') !== sha256) throw damaged(path, 'the index');
    const data = dataPath(directory, part);
    return new PartReader(data, await orLost(data, open(data, 'r')), index);
  }

  /**
   * @param number below that of the records
   * @returns undefined where there is none of this number
   * @throws FuseMeshError data_loss where it is damaged
   */
  async read(number: number): Promise<Uint8Array | undefined> {
    const { offset, length, checksum } = readPlace(this.#index, number);
    if (length === 0) return undefined;
    const bytes = Buffer.alloc(length);
    let read = 0;
    while (read < length) {
      const { bytesRead } = await this.#data.read(bytes, read, length - read, offset + read);
      if (bytesRead === 0) break;
      read += bytesRead;
    }
    const lost = () => damaged(this.#path, `record ${number}, ${length} bytes at ${offset},`);
    if (read < length || checksumOf(bytes) !== checksum) throw lost();
    return unpackRecord(bytes).catch(() => {
      throw lost();
    });
  }

  close(): Promise<void> {
    return this.#data.close();
  }
}

const damaged = (path: string, what: string): FuseMeshError =>
  new FuseMeshError('data_loss', `${path}: ${what} is not what was written: record the corpus again.`);

async function orLost<T>(path: string, work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'ENOENT') throw cause;
    throw new FuseMeshError('data_loss', `${path} is missing: record the corpus again.`, { cause });
  }
}
