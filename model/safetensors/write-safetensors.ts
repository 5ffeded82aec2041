import { open, rename, rm } from 'node:fs/promises';
import { type Dtype, formatHeader, type HeaderEntry, tensorBytes } from './header.ts';

/** A tensor to write. */
export interface TensorToWrite extends DescribedTensor {
  /** Its values, little-endian, row by row. */
  readonly data: Uint8Array;
}

/** A tensor that is made while the file is written, so that it need not stand in memory as a whole. */
export interface TensorInParts extends DescribedTensor {
  /** Its values in order, in as many parts as it likes, little-endian, row by row. */
  parts(): AsyncIterable<Uint8Array>;
}

interface DescribedTensor {
  readonly name: string;
  readonly dtype: Dtype;
  readonly shape: readonly number[];
}

/** What transformers looks for. */
const forTransformers = { format: 'pt' };

/**
 * Writes a safetensors file, in the order given. The file gets its name only when it is complete and on disk.
 *
 * @param metadata `{ format: 'pt' }` is what transformers looks for
 * @throws RangeError when a tensor's bytes do not fit its shape
 */
export async function writeSafetensors(
  path: string,
  tensors: Iterable<TensorToWrite>,
  metadata?: Readonly<Record<string, string>>,
): Promise<void> {
  const inParts = Array.from(tensors, (tensor) => {
    const { name, dtype, shape, data } = tensor;
    expectBytes(tensor, data.byteLength);
    return {
      name,
      dtype,
      shape,
      parts: async function* () {
        yield data;
      },
    };
  });
  await writeSafetensorsInParts(path, inParts, metadata);
}

/**
 * {@link writeSafetensors} of tensors that are made one after the other.
 *
 * @throws RangeError when a tensor's parts do not fit its shape, and whatever making them throws
 */
export async function writeSafetensorsInParts(
  path: string,
  tensors: readonly TensorInParts[],
  metadata: Readonly<Record<string, string>> = forTransformers,
): Promise<void> {
  const header = headerOf(tensors, metadata);
  const unfinished = `${path}.unfinished`;
  try {
    const handle = await open(unfinished, 'w');
    try {
      await handle.writeFile(header);
      for (const tensor of tensors) {
        let written = 0;
        for await (const part of tensor.parts()) {
          await handle.writeFile(part);
          written += part.byteLength;
        }
        expectBytes(tensor, written);
      }
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

/**
 * The bytes of a safetensors file, in order: its header, then each tensor's own array.
 *
 * @throws RangeError when a tensor's bytes do not fit its shape
 */
export function safetensorsParts(tensors: readonly TensorToWrite[]): Uint8Array[] {
  for (const tensor of tensors) expectBytes(tensor, tensor.data.byteLength);
  return [headerOf(tensors, forTransformers), ...tensors.map(({ data }) => data)];
}

function headerOf(
  tensors: readonly DescribedTensor[],
  metadata: Readonly<Record<string, string>>,
): Uint8Array {
  const entries: HeaderEntry[] = [];
  let begin = 0;
  for (const { name, dtype, shape } of tensors) {
    const byteLength = tensorBytes(dtype, shape);
    entries.push({ name, dtype, shape, begin, byteLength });
    begin += byteLength;
  }
  return formatHeader(entries, metadata);
}

function expectBytes({ name, dtype, shape }: DescribedTensor, byteLength: number): void {
  if (byteLength !== tensorBytes(dtype, shape))
    throw new RangeError(`${name}: ${byteLength} bytes do not make ${dtype} [${shape.join(', ')}]`);
}
