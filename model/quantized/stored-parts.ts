import { FuseMeshError } from '../../errors/fusemesh-error.ts';
import { formatShape, sameShape } from '../graph/shape.ts';
import type { TensorSource } from '../safetensors/safetensors-file.ts';

/** Makes the error for a layer that cannot be read. */
export const layerRefusal =
  ({ tensors }: TensorSource, module: string) =>
  (problem: string): FuseMeshError => {
    const { path = '' } = [...tensors.values()].find(({ name }) => name.startsWith(module)) ?? {};
    return new FuseMeshError('invalid_argument', `${path}: the quantized layer "${module}" ${problem}`);
  };

/**
 * The name of a tensor that is there as it should be.
 *
 * @throws FuseMeshError invalid_argument where it is not
 */
export function stored(
  { tensors }: TensorSource,
  name: string,
  dtypes: readonly string[],
  shape: readonly number[],
): string {
  const tensor = tensors.get(name);
  if (!tensor)
    throw new FuseMeshError('invalid_argument', `The tensor "${name}" of a quantized layer is missing`);
  if (!dtypes.includes(tensor.dtype) || !sameShape(tensor.shape, shape))
    throw new FuseMeshError(
      'invalid_argument',
      `${tensor.path}: "${name}" is ${tensor.dtype} ${formatShape(tensor.shape)}; its config.json asks for ${dtypes.join(' or ')} ${formatShape(shape)}`,
    );
  return name;
}

/** {@link stored} for the parts of one layer, by the last part of their names. */
export const partsOf =
  (source: TensorSource, module: string) =>
  (name: string, dtypes: readonly string[], ...shape: readonly number[]): string =>
    stored(source, `${module}.${name}`, dtypes, shape);

/** int32 values. */
export const integers = async (source: TensorSource, name: string): Promise<Int32Array<ArrayBuffer>> =>
  new Int32Array((await source.read(name)).buffer);

/** @throws FuseMeshError data_loss where one is NaN or infinite */
export const finiteValues = async (source: TensorSource, name: string): Promise<Float32Array<ArrayBuffer>> =>
  finite(source, name, await source.readFloat32(name));

/** @throws FuseMeshError data_loss where one is NaN or infinite */
export function finite(
  { tensors }: TensorSource,
  name: string,
  values: Float32Array<ArrayBuffer>,
): Float32Array<ArrayBuffer> {
  if (values.every(Number.isFinite)) return values;
  throw new FuseMeshError(
    'data_loss',
    `${tensors.get(name)?.path}: "${name}" is not finite (NaN or infinity): download it again.`,
  );
}

/** Code i of words of 32 bits, the lower bits first. */
export const nibble = (words: Int32Array, i: number, bits: number): number => {
  const perWord = 32 / bits;
  return (words[Math.floor(i / perWord)] >>> (bits * (i % perWord))) & (2 ** bits - 1);
};

/** [rows, columns] → [columns, rows]. */
export function transposed<
  Values extends Float32Array<ArrayBuffer> | Int32Array<ArrayBuffer> | Uint8Array<ArrayBuffer>,
>(values: Values, rows: number, columns: number): Values {
  const result = new (values.constructor as new (length: number) => Values)(values.length);
  // Tile by tile, so that what is read and what is written stay in the cache.
  const tile = 32;
  for (let top = 0; top < rows; top += tile)
    for (let left = 0; left < columns; left += tile)
      for (let row = top; row < Math.min(rows, top + tile); row++)
        for (let column = left; column < Math.min(columns, left + tile); column++)
          result[column * rows + row] = values[row * columns + column];
  return result;
}
