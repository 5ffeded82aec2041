import { open } from 'node:fs/promises';
import { FuseMeshError } from '../../errors/fusemesh-error.ts';
import type { StoredTensor, TensorSource } from '../safetensors/safetensors-file.ts';
import type { Architecture } from './architecture.ts';

/** How much is read at once, so that checking a large model takes little memory. */
const chunkBytes = 1 << 23;

/** The bits of the exponent; all set, the value is infinite or NaN (IEEE 754, section 3.4). */
const exponents = { F32: 0x7f80_0000, F16: 0x7c00, BF16: 0x7f80 } as const;

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
    if (dtype !== 'F32' && dtype !== 'F16' && dtype !== 'BF16') continue;
    const at = await firstNonFinite(tensor, exponents[dtype], buffer);
    if (at === undefined) continue;
    throw new FuseMeshError(
      'data_loss',
      `${path}: the weight "${name}" is not finite (NaN or infinity) at [${coordinates(at, shape).join(', ')}]: download or train it again.`,
    );
  }
}

/** Index of the first value whose exponent is all ones. */
async function firstNonFinite(
  { dtype, path, offset, byteLength }: StoredTensor,
  exponent: number,
  buffer: ArrayBuffer,
): Promise<number | undefined> {
  const handle = await open(path, 'r');
  try {
    for (let done = 0; done < byteLength; ) {
      const wanted = Math.min(chunkBytes, byteLength - done);
      const { bytesRead } = await handle.read(new Uint8Array(buffer, 0, wanted), 0, wanted, offset + done);
      if (bytesRead !== wanted)
        throw new FuseMeshError('data_loss', `${path} ends too early: download it again.`);
      const values =
        dtype === 'F32' ? new Uint32Array(buffer, 0, wanted / 4) : new Uint16Array(buffer, 0, wanted / 2);
      const found = indexOfExponent(values, exponent);
      if (found >= 0) return done / values.BYTES_PER_ELEMENT + found;
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
