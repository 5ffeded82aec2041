import { createReadStream } from 'node:fs';
import { pipeline, Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { Decompress } from 'fzstd';
import { FuseMeshError } from '../errors/fusemesh-error.ts';
import type { TextFormat } from './text-format.ts';

export interface ByteOptions {
  readonly compression: TextFormat['compression'];
  /** Bytes to leave out, counted after decompression. */
  readonly from: number;
  /** Called with how many bytes of the file, as it is on disk, were read. */
  readonly onRead?: ((bytes: number) => void) | undefined;
}

/**
 * The bytes of a file, decompressed, in chunks.
 *
 * @throws FuseMeshError invalid_argument for a compressed file that is broken or ends too early
 */
export async function* readBytes(
  file: string,
  { compression, from, onRead }: ByteOptions,
): AsyncGenerator<Buffer> {
  const stored = readStored(file, compression === 'none' ? from : 0, onRead);
  if (compression === 'none') {
    yield* stored;
    return;
  }
  let toSkip = from;
  try {
    for await (const chunk of compression === 'gzip' ? gunzip(stored) : unzstd(stored)) {
      const skipped = Math.min(toSkip, chunk.length);
      toSkip -= skipped;
      if (skipped < chunk.length) yield chunk.subarray(skipped);
    }
  } catch (cause) {
    if (cause instanceof FuseMeshError || !(cause instanceof Error)) throw cause;
    throw new FuseMeshError(
      'invalid_argument',
      `${file} cannot be decompressed (${cause.message}): compress or download it again.`,
      { cause },
    );
  }
}

async function* readStored(
  file: string,
  start: number,
  onRead: ((bytes: number) => void) | undefined,
): AsyncGenerator<Buffer> {
  let read = start;
  for await (const chunk of createReadStream(file, { start, highWaterMark: 256 * 1024 })) {
    read += chunk.length;
    onRead?.(read);
    yield chunk;
  }
}

async function* gunzip(stored: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  const gunzipped = createGunzip();
  // Errors come out of what is read below; it also closes the file when its reader stops early.
  pipeline(Readable.from(stored, { objectMode: false }), gunzipped, () => undefined);
  yield* gunzipped;
}

async function* unzstd(stored: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let ready: Buffer[] = [];
  const decompressor = new Decompress((data) => {
    if (data.length > 0) ready.push(Buffer.from(data));
  });
  for await (const chunk of stored) {
    decompressor.push(chunk);
    yield* ready;
    ready = [];
  }
  decompressor.push(new Uint8Array(0), true);
  yield* ready;
}
