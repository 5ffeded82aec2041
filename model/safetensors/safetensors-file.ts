import { type FileHandle, realpath } from 'node:fs/promises';
import { FuseMeshError } from '../../errors/fusemesh-error.ts';
import { fromBfloat16 } from '../../numbers/bfloat16.ts';
import { fromFloat16 } from '../../numbers/float16.ts';
import { openFile } from '../open-file.ts';
import { type Dtype, type Header, maximumHeaderBytes, parseHeader, prefixBytes } from './header.ts';

/** A tensor on disk. */
export interface StoredTensor {
  readonly name: string;
  readonly dtype: Dtype;
  readonly shape: readonly number[];
  /** The file that holds it: its real path, where a link led to it. */
  readonly path: string;
  /** Where its bytes begin in that file, from the file's first byte. */
  readonly offset: number;
  readonly byteLength: number;
}

/** Named tensors that can be read: one file, or all the files of a model. */
export interface TensorSource {
  readonly tensors: ReadonlyMap<string, StoredTensor>;
  /** The tensor's bytes as they are on disk: little-endian, row by row. */
  read(name: string): Promise<Uint8Array<ArrayBuffer>>;
  /** The tensor's values, from F64 (rounded), F32, F16 or BF16. */
  readFloat32(name: string): Promise<Float32Array<ArrayBuffer>>;
  close(): Promise<void>;
}

/** Reads are cut to this size: the system refuses more than 2 GiB at once. */
const readBytes = 1 << 30;

/** An open safetensors file. */
export class SafetensorsFile implements TensorSource {
  readonly path: string;
  readonly tensors: ReadonlyMap<string, StoredTensor>;
  readonly metadata: Readonly<Record<string, string>>;
  readonly #handle: FileHandle;

  /** @param realPath of the file, where `path` is a link */
  constructor(path: string, realPath: string, handle: FileHandle, header: Header, dataBegins: number) {
    this.path = path;
    this.#handle = handle;
    this.metadata = header.metadata;
    this.tensors = new Map(
      header.entries.map(({ begin, ...entry }) => [
        entry.name,
        { ...entry, path: realPath, offset: dataBegins + begin },
      ]),
    );
  }

  async read(name: string): Promise<Uint8Array<ArrayBuffer>> {
    const { offset, byteLength } = this.#tensor(name);
    return readExactly(this.#handle, this.path, offset, byteLength);
  }

  async readFloat32(name: string): Promise<Float32Array<ArrayBuffer>> {
    return float32Of(this.#tensor(name), await this.read(name));
  }

  close(): Promise<void> {
    return this.#handle.close();
  }

  #tensor(name: string): StoredTensor {
    const tensor = this.tensors.get(name);
    if (tensor === undefined) {
      throw new FuseMeshError('not_found', `${this.path} has no tensor ${name}: is it the right model?`);
    }
    return tensor;
  }
}

/** The bytes of a tensor, or of a part of one, from the file in which they lie. */
export async function readStored({
  path,
  offset,
  byteLength,
}: StoredTensor): Promise<Uint8Array<ArrayBuffer>> {
  const handle = await openFile(path, 'weights');
  try {
    return await readExactly(handle, path, offset, byteLength);
  } finally {
    await handle.close();
  }
}

/**
 * The values of a tensor.
 *
 * @throws FuseMeshError invalid_argument where they are no floating-point numbers that we know
 */
export function float32Of(
  { name, dtype, path }: StoredTensor,
  { buffer }: Uint8Array<ArrayBuffer>,
): Float32Array<ArrayBuffer> {
  switch (dtype) {
    case 'F64':
      return new Float32Array(new Float64Array(buffer));
    case 'F32':
      return new Float32Array(buffer);
    case 'F16':
      return fromFloat16(new Uint16Array(buffer));
    case 'BF16':
      return fromBfloat16(new Uint16Array(buffer));
    default:
      throw new FuseMeshError(
        'invalid_argument',
        `${path}: ${name} is ${dtype}; convert the model to F64, F32, F16 or BF16.`,
      );
  }
}

/**
 * Opens a file and reads its header; tensors are read when asked for.
 *
 * @throws FuseMeshError not_found when there is no such file, data_loss when it is damaged
 */
export async function openSafetensors(path: string): Promise<SafetensorsFile> {
  const handle = await openFile(path, 'weights');
  try {
    const { size } = await handle.stat();
    if (size < prefixBytes) throw damaged(path, 'it is shorter than a header');
    const prefix = Buffer.from((await readExactly(handle, path, 0, prefixBytes)).buffer);
    const headerBytes = Number(prefix.readBigUInt64LE());
    const dataBegins = prefixBytes + headerBytes;
    if (headerBytes > maximumHeaderBytes || dataBegins > size) {
      throw damaged(path, `its header would take ${headerBytes} bytes`);
    }
    const json = Buffer.from(await readExactly(handle, path, prefixBytes, headerBytes)).toString();
    let header: Header;
    try {
      header = parseHeader(json, size - dataBegins);
    } catch (cause) {
      throw damaged(path, (cause as Error).message, cause);
    }
    return new SafetensorsFile(path, await realpath(path), handle, header, dataBegins);
  } catch (error) {
    await handle.close();
    throw error;
  }
}

async function readExactly(
  handle: FileHandle,
  path: string,
  offset: number,
  byteLength: number,
): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = new Uint8Array(byteLength);
  for (let done = 0; done < byteLength; ) {
    const wanted = Math.min(readBytes, byteLength - done);
    const { bytesRead } = await handle.read(bytes, done, wanted, offset + done);
    if (bytesRead === 0) throw damaged(path, 'it ends too early');
    done += bytesRead;
  }
  return bytes;
}

function damaged(path: string, reason: string, cause?: unknown): FuseMeshError {
  return new FuseMeshError(
    'data_loss',
    `${path} is not a whole safetensors file: ${reason.replaceAll(/\s+/g, ' ')}; download or write it again.`,
    { cause },
  );
}
