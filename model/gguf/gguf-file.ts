import type { FileHandle } from 'node:fs/promises';
import { FuseMeshError } from '../../errors/fusemesh-error.ts';
import { elementCount } from '../graph/shape.ts';
import { openFile } from '../open-file.ts';
import { type BlockFormat, blockFormats, nameOfType } from './block-formats.ts';
import { type GgufHeader, type GgufValue, HeaderGoesOn, parseHeader, type TensorEntry } from './header.ts';

/** The first try; heads with large vocabularies take some 10 MB. */
const firstHeaderBytes = 1 << 24;
const longestHeaderBytes = 1 << 29;
/** Reads are cut to this size: the system refuses more than 2 GiB at once. */
const readBytes = 1 << 30;

/** A tensor in a GGUF file. */
export interface GgufTensor {
  readonly name: string;
  readonly shape: readonly number[];
  /** How its values are stored; undefined where we cannot read them. */
  readonly format: BlockFormat | undefined;
  /** "Q4_K". */
  readonly type: string;
  /** Where its bytes begin, from the file's first byte. */
  readonly offset: number;
}

/** An open GGUF file; tensors are read when asked for. */
export class GgufFile {
  readonly path: string;
  readonly metadata: ReadonlyMap<string, GgufValue>;
  /** In the order of the file. */
  readonly tensors: ReadonlyMap<string, GgufTensor>;
  readonly #handle: FileHandle;

  /**
   * Opens a file and reads its head.
   *
   * @throws FuseMeshError not_found when there is no such file, data_loss when it is damaged
   */
  static async open(path: string): Promise<GgufFile> {
    const handle = await openFile(path, 'GGUF');
    try {
      const { size } = await handle.stat();
      const file = new GgufFile(path, await readHeader(handle, path, size), handle);
      for (const { name, shape, format, offset } of file.tensors.values()) {
        if (format === undefined) continue;
        if (shape.length === 0 || shape.at(-1)! % format.values !== 0) {
          throw damaged(path, `the rows of ${name} are not made of blocks of ${format.values} values`);
        }
        if (offset + byteLength(shape, format) > size) throw damaged(path, `it ends before ${name} does`);
      }
      return file;
    } catch (error) {
      await handle.close();
      throw error;
    }
  }

  private constructor(path: string, { metadata, tensors, dataBegins }: GgufHeader, handle: FileHandle) {
    this.path = path;
    this.metadata = metadata;
    this.tensors = new Map(tensors.map((entry) => [entry.name, placed(entry, dataBegins)]));
    this.#handle = handle;
  }

  /**
   * The stored blocks of some rows of a tensor.
   *
   * @param rows how many, behind those that are left out
   */
  async readRows(
    { shape, format, offset }: GgufTensor & { readonly format: BlockFormat },
    firstRow: number,
    rows: number,
  ): Promise<Uint8Array<ArrayBuffer>> {
    const bytesPerRow = byteLength(shape.slice(-1), format);
    const bytes = new Uint8Array(rows * bytesPerRow);
    const begin = offset + firstRow * bytesPerRow;
    for (let done = 0; done < bytes.length; ) {
      const wanted = Math.min(readBytes, bytes.length - done);
      const { bytesRead } = await this.#handle.read(bytes, done, wanted, begin + done);
      if (bytesRead === 0) throw damaged(this.path, 'it has become shorter');
      done += bytesRead;
    }
    return bytes;
  }

  close(): Promise<void> {
    return this.#handle.close();
  }
}

const placed = ({ name, shape, type, offset }: TensorEntry, dataBegins: number): GgufTensor => ({
  name,
  shape,
  format: blockFormats.get(type),
  type: nameOfType(type),
  offset: dataBegins + offset,
});

const byteLength = (shape: readonly number[], { values, bytes }: BlockFormat): number =>
  (elementCount(shape) / values) * bytes;

async function readHeader(handle: FileHandle, path: string, size: number): Promise<GgufHeader> {
  for (let length = firstHeaderBytes; ; length *= 2) {
    const bytes = Buffer.alloc(Math.min(length, size));
    const { bytesRead } = await handle.read(bytes, 0, bytes.length, 0);
    try {
      return parseHeader(bytes.subarray(0, bytesRead));
    } catch (cause) {
      if (!(cause instanceof HeaderGoesOn)) throw damaged(path, (cause as Error).message, cause);
      if (length >= size || length >= longestHeaderBytes)
        throw damaged(path, 'it ends within its head', cause);
    }
  }
}

function damaged(path: string, reason: string, cause?: unknown): FuseMeshError {
  return new FuseMeshError('data_loss', `${path} is not a whole GGUF: ${reason}; download it again.`, {
    cause,
  });
}
