import { open } from 'node:fs/promises';
import { FuseMeshError } from '../../errors/fusemesh-error.ts';
import { type Dtype, tensorBytes } from '../safetensors/header.ts';
import type { StoredTensor, TensorSource } from '../safetensors/safetensors-file.ts';
import type { Architecture } from './architecture.ts';

/** How much is read at once, so that checking a large model takes little memory. */
const chunkBytes = 1 << 23;

/** Where bytes hold the first value that is infinite or NaN: its index, or −1. */
type Finder = (bytes: ArrayBuffer, byteLength: number) => number;

/** Those of a dtype by the bits of its exponent: all set, the value is infinite or NaN (IEEE 754, section 3.4). */
const finders: Readonly<Partial<Record<Dtype, Finder>>> = {
  // Read as float32, which is narrower.
  F64: (bytes, length) =>
    new Float64Array(bytes, 0, length / 8).findIndex((value) => !Number.isFinite(Math.fround(value))),
  F32: (bytes, length) => indexOfExponent(new Uint32Array(bytes, 0, length / 4), 0x7f80_0000),
  F16: (bytes, length) => indexOfExponent(new Uint16Array(bytes, 0, length / 2), 0x7c00),
  BF16: (bytes, length) => indexOfExponent(new Uint16Array(bytes, 0, length / 2), 0x7f80),
};

/**
 * Checks every floating-point weight that an architecture needs.
 *
 * @throws FuseMeshError data_loss where one holds NaN or infinity, naming the file and the weight
 */
export async function refuseNonFinite(source: TensorSource, { weights }: Architecture): Promise<void> {
  const buffer = new ArrayBuffer(chunkBytes);
  for (const name of weights.keys()) {
    const tensor = source.tensors.get(name);
    if (tensor === undefined) continue;
    const { dtype, path, shape } = tensor;
    const find = finders[dtype];
    if (find === undefined) continue;
    const at = await firstNonFinite(tensor, find, buffer);
    if (at === undefined) continue;
    throw new FuseMeshError(
      'data_loss',
      `${path}: the weight "${name}" is not finite (NaN or infinity) at [${coordinates(at, shape).join(', ')}]: download or train it again.`,
    );
  }
}

/** Index of the first value that is not finite. */
async function firstNonFinite(
  { dtype, path, offset, byteLength }: StoredTensor,
  find: Finder,
  buffer: ArrayBuffer,
): Promise<number | undefined> {
  const handle = await open(path, 'r');
  try {
    for (let done = 0; done < byteLength; ) {
      const wanted = Math.min(chunkBytes, byteLength - done);
      const { bytesRead } = await handle.read(new Uint8Array(buffer, 0, wanted), 0, wanted, offset + done);
      if (bytesRead !== wanted)
        throw new FuseMeshError('data_loss', `${path} ends too early: download it again.`);
      const found = find(buffer, wanted);
      if (found >= 0) return done / tensorBytes(dtype, []) + found;
      done += wanted;
    }
    return undefined;
  } finally {
    await handle.close();
  }
}

function indexOfExponent(values: Uint32Array | Uint16Array, exponent: number): number {
  for (let i = 0; i < values.length; i++) if ((values[i] & exponent) === exponent) return i;
  return -1;
}

/** Coordinates of a value in a row-major tensor. */
function coordinates(index: number, shape: readonly number[]): number[] {
  const place: number[] = [];
  for (let axis = shape.length - 1, rest = index; axis >= 0; axis--) {
    place.unshift(rest % shape[axis]);
    rest = Math.floor(rest / shape[axis]);
  }
  return place;
}
