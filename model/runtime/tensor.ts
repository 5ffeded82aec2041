import koffi from 'koffi';
import type { ElementType } from '../graph/tensor-type.ts';
import { library } from './library.ts';

/** A tensor on our own array; ONNX Runtime reads or writes it in place. */
export type HostTensor =
  | { readonly data: Float32Array<ArrayBuffer>; readonly shape: readonly number[] }
  | { readonly data: Int32Array<ArrayBuffer>; readonly shape: readonly number[] }
  | { readonly data: BigInt64Array<ArrayBuffer>; readonly shape: readonly number[] };

/** A tensor in a device's memory (see device.ts). */
export interface DeviceTensor {
  readonly elementType: ElementType;
  readonly shape: readonly number[];
  /** Address of the OrtValue. */
  readonly value: bigint;
}

/** A tensor that knows where it lives. */
export type Tensor = HostTensor | DeviceTensor;

export const isOnDevice = (tensor: Tensor): tensor is DeviceTensor => 'value' in tensor;

/** ONNX's numbers of element types (TensorProto.DataType). */
export const elementTypes: Readonly<Record<ElementType, number>> = {
  float32: 1,
  int32: 6,
  int64: 7,
  bool: 9,
  float16: 10,
  bfloat16: 16,
};

/** An OrtValue on the array of a tensor, which must outlive it; to be released. */
export function hostValue({ data, shape }: HostTensor): bigint {
  return valueOn(hostMemory(), data, data.byteLength, arrayType(data), shape);
}

/**
 * An OrtValue on memory of the caller; to be released.
 *
 * @param memory address of the OrtMemoryInfo that says where it is
 */
export function valueOn(
  memory: bigint,
  data: HostTensor['data'] | bigint,
  byteLength: number,
  type: ElementType,
  shape: readonly number[],
): bigint {
  const made = new BigUint64Array(1);
  const sizes = BigInt64Array.from(shape, BigInt);
  const { api } = library();
  api.CreateTensorWithDataAsOrtValue(memory, data, byteLength, sizes, sizes.length, elementTypes[type], made);
  return made[0];
}

/** A copy of the values of an OrtValue in this process's memory. */
export function arrayOf(value: bigint): HostTensor['data'] {
  const { api } = library();
  const found = new BigUint64Array(1);
  api.GetTensorTypeAndShape(value, found);
  const info = found[0];
  api.GetTensorShapeElementCount(info, found);
  const count = Number(found[0]);
  const number = new Int32Array(1);
  api.GetTensorElementType(info, number);
  api.ReleaseTensorTypeAndShapeInfo(info);
  const Typed = arraysOf[number[0]];
  if (!Typed) throw new Error(`no array for element type ${number[0]}`);
  if (count === 0) return new Typed(0);
  api.GetTensorMutableData(value, found);
  return new Typed(koffi.view(found[0], count * Typed.BYTES_PER_ELEMENT).slice(0));
}

const arraysOf: Readonly<
  Record<number, Float32ArrayConstructor | Int32ArrayConstructor | BigInt64ArrayConstructor>
> = {
  [elementTypes.float32]: Float32Array,
  [elementTypes.int32]: Int32Array,
  [elementTypes.int64]: BigInt64Array,
};

const arrayType = (data: HostTensor['data']): ElementType =>
  data instanceof Float32Array ? 'float32' : data instanceof Int32Array ? 'int32' : 'int64';

let host: bigint | undefined;

/** Address of the OrtMemoryInfo of this process's memory. */
function hostMemory(): bigint {
  if (host === undefined) {
    const made = new BigUint64Array(1);
    library().api.CreateCpuMemoryInfo(arena, ordinaryMemory, made);
    host = made[0];
  }
  return host;
}

const arena = 1;
const ordinaryMemory = 0;
