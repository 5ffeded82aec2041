import { open, rename, rm } from 'node:fs/promises';
import { type Dtype, formatHeader, type HeaderEntry, tensorBytes } from './header.ts';

/** A tensor to write. */
export interface TensorToWrite {
  readonly name: string;
  readonly dtype: Dtype;
  readonly shape: readonly number[];
  /** Its values, little-endian, row by row. */
  readonly data: Uint8Array;
}

/**
 * Writes a safetensors file, in the order given. The file gets its name only when it is complete and on disk.
 *
 * @param metadata `{ format: 'pt' }` is what transformers looks for
 * @throws RangeError when a tensor's bytes do not fit its shape
 */
export async function writeSafetensors(
  path: string,
  tensors: Iterable<TensorToWrite>,
  metadata: Readonly<Record<string, string>> = { format: 'pt' },
): Promise<void> {
  const list = [...tensors];
  const entries: HeaderEntry[] = [];
  let begin = 0;
  for (const { name, dtype, shape, data } of list) {
    if (data.byteLength !== tensorBytes(dtype, shape)) {
      throw new RangeError(`${name}: ${data.byteLength} bytes do not make ${dtype} [${shape.join(', ')}]`);
    }
    entries.push({ name, dtype, shape, begin, byteLength: data.byteLength });
    begin += data.byteLength;
  }

  const unfinished = `${path}.unfinished`;
  try {
    const handle = await open(unfinished, 'w');
    try {
      await handle.writeFile(formatHeader(entries, metadata));
      for (const { data } of list) await handle.writeFile(data);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(unfinished, path);
  } catch (error) {
    await rm(unfinished, { force: true });
    throw error;
  }
}
