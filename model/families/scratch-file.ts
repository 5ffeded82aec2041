import { mkdtempSync, realpathSync } from 'node:fs';
import { open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FuseMeshError } from '../../errors/fusemesh-error.ts';
import { elementCount } from '../graph/shape.ts';
import { bytesPerElement, type ElementType } from '../graph/tensor-type.ts';

/** Tensors begin where memory pages do, so that each can be mapped. */
const pageBytes = 4096;

interface Placed {
  readonly name: string;
  readonly offset: number;
  readonly byteLength: number;
  values(): Promise<ArrayBufferView<ArrayBuffer>>;
}

/**
 * A file in the system's directory for temporary ones, with tensors that are made when a model is opened: from there
 * ONNX Runtime maps them into memory, or takes its own form of them, with no second copy in this process.
 */
export class ScratchFile {
  readonly path: string;
  readonly #folder: string;
  readonly #placed = new Map<string, Placed>();
  #end = 0;

  constructor() {
    this.#folder = mkdtempSync(join(realpathSync(tmpdir()), 'fusemesh-weights-'));
    this.path = join(this.#folder, 'weights');
  }

  /** A place for a tensor; {@link write} asks for its values. A name has one place. */
  place(
    name: string,
    elementType: ElementType,
    shape: readonly number[],
    values: Placed['values'],
  ): Pick<Placed, 'offset' | 'byteLength'> {
    const byteLength = elementCount(shape) * bytesPerElement[elementType];
    const placed = this.#placed.get(name) ?? { name, offset: this.#end, byteLength, values };
    if (!this.#placed.has(name)) this.#end += Math.ceil(byteLength / pageBytes) * pageBytes;
    this.#placed.set(name, placed);
    return { offset: placed.offset, byteLength };
  }

  /** Writes all that has a place, one tensor after the other. */
  async write(): Promise<void> {
    const handle = await open(this.path, 'w');
    try {
      for (const { name, offset, byteLength, values } of this.#placed.values()) {
        const { buffer, byteOffset, byteLength: found } = await values();
        if (found !== byteLength)
          throw new FuseMeshError('internal', `"${name}" takes ${byteLength} bytes, not ${found}`);
        await writeAt(handle, new Uint8Array(buffer, byteOffset, byteLength), offset);
      }
    } catch (cause) {
      if (cause instanceof FuseMeshError || !(cause instanceof Error && 'code' in cause)) throw cause;
      throw new FuseMeshError(
        'resource_exhausted',
        `Cannot write ${this.#end} bytes of quantized weights to ${this.path} (${cause.message}): set TMPDIR to a directory with room.`,
        { cause },
      );
    } finally {
      await handle.close();
    }
  }

  /** Who has mapped it keeps what it has. */
  async remove(): Promise<void> {
    await rm(this.#folder, { recursive: true, force: true });
  }
}

/** A write takes 2 GiB at most. */
async function writeAt(
  handle: {
    write(bytes: Uint8Array, begin: number, length: number, at: number): Promise<{ bytesWritten: number }>;
  },
  bytes: Uint8Array,
  offset: number,
): Promise<void> {
  const most = 2 ** 30;
  for (let done = 0; done < bytes.length; )
    done += (await handle.write(bytes, done, Math.min(most, bytes.length - done), offset + done))
      .bytesWritten;
}
