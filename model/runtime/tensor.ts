import koffi from 'koffi';
import { FuseMeshError } from '../../errors/fusemesh-error.ts';
import { elementCount } from '../graph/shape.ts';
import { bytesPerElement, type ElementType, type Half } from '../graph/tensor-type.ts';
import { library } from './library.ts';

/** A tensor on our own array; ONNX Runtime reads or writes it in place. */
export type HostTensor =
  | { readonly data: Float32Array<ArrayBuffer>; readonly shape: readonly number[] }
  | { readonly data: Int32Array<ArrayBuffer>; readonly shape: readonly number[] }
  | { readonly data: BigInt64Array<ArrayBuffer>; readonly shape: readonly number[] }
  | {
      readonly data: Uint16Array<ArrayBuffer>;
      readonly shape: readonly number[];
      readonly elementType: Half;
    };

/** A piece of a device's memory. */
export interface DeviceBuffer {
  /** Address of the OrtMemoryInfo that says where it is. */
  readonly memory: bigint;
  /** What ONNX Runtime calls its data: an address in the device's memory, or a handle. */
  readonly data: bigint;
  readonly byteLength: number;
}

/** A tensor in a device's memory: the beginning of a buffer. */
export interface DeviceTensor {
  readonly buffer: DeviceBuffer;
  readonly elementType: ElementType;
  readonly shape: readonly number[];
}

/** A tensor that knows where it lives. */
export type Tensor = HostTensor | DeviceTensor;

export const isOnDevice = (tensor: Tensor): tensor is DeviceTensor => 'buffer' in tensor;

/** The float32 values of a tensor in this process's memory. */
export function arrayIn(tensor: Tensor): Float32Array<ArrayBuffer> {
  return (tensor as { readonly data: Float32Array<ArrayBuffer> }).data;
}

/** The beginning of a tensor's values as a tensor of another shape, on the same memory. */
export function beginningOf(tensor: Tensor, shape: readonly number[]): Tensor {
  return isOnDevice(tensor) ? { ...tensor, shape } : valuesOf(tensor, 0, shape);
}

/** Values of a tensor in this process's memory as one of another shape, on the same memory. */
export function valuesOf(tensor: HostTensor, begin: number, shape: readonly number[]): HostTensor {
  const data = tensor.data.subarray(begin, begin + elementCount(shape));
  return { ...tensor, data, shape } as HostTensor;
}

export const byteLengthOf = (tensor: Tensor): number =>
  isOnDevice(tensor)
    ? elementCount(tensor.shape) * bytesPerElement[tensor.elementType]
    : tensor.data.byteLength;

// Made once: small arrays that wait for the garbage collector between large ones would keep malloc from giving memory back.
const made = new BigUint64Array(1);
const mostAxes = 16;
const sizes = new BigInt64Array(mostAxes);

/** An OrtValue on the memory of a tensor, which must outlive it. @returns its address, to be released */
export function ortValue(tensor: Tensor): bigint {
  const [memory, data, type] = isOnDevice(tensor)
    ? [tensor.buffer.memory, tensor.buffer.data, tensor.elementType]
    : [hostMemory(), tensor.data, elementTypeOf(tensor)];
  const { shape } = tensor;
  if (shape.length > mostAxes) throw new FuseMeshError('internal', `a tensor has ${shape.length} axes`);
  for (let axis = 0; axis < shape.length; axis++) sizes[axis] = BigInt(shape[axis]);
  const { api } = library();
  api.CreateTensorWithDataAsOrtValue(
    memory,
    data,
    byteLengthOf(tensor),
    sizes,
    shape.length,
    onnxTypes[type],
    made,
  );
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
  const type = new Int32Array(1);
  api.GetTensorElementType(info, type);
  api.ReleaseTensorTypeAndShapeInfo(info);
  const Values = arrays.get(type[0]);
  if (!Values)
    throw new FuseMeshError(
      'internal',
      `an output has element type ${type[0]} of ONNX, for which there is no array`,
    );
  if (count === 0) return new Values(0);
  api.GetTensorMutableData(value, found);
  return new Values(koffi.view(found[0], count * Values.BYTES_PER_ELEMENT).slice(0));
}

/** TensorProto.DataType of ONNX. */
export const onnxTypes: Readonly<Record<ElementType, number>> = {
  float32: 1,
  uint8: 2,
  int32: 6,
  int64: 7,
  bool: 9,
  float16: 10,
  float64: 11,
  bfloat16: 16,
};

const arrays = new Map<number, Float32ArrayConstructor | Int32ArrayConstructor | BigInt64ArrayConstructor>([
  [onnxTypes.float32, Float32Array],
  [onnxTypes.int32, Int32Array],
  [onnxTypes.int64, BigInt64Array],
]);

function elementTypeOf(tensor: HostTensor): ElementType {
  if ('elementType' in tensor) return tensor.elementType;
  if (tensor.data instanceof Float32Array) return 'float32';
  return tensor.data instanceof Int32Array ? 'int32' : 'int64';
}

/** OrtArenaAllocator and OrtMemTypeDefault of onnxruntime_c_api.h. */
const [arena, ordinary] = [1, 0];
let host: bigint | undefined;

/** Address of the OrtMemoryInfo of this process's memory. */
function hostMemory(): bigint {
  if (host === undefined) {
    const made = new BigUint64Array(1);
    library().api.CreateCpuMemoryInfo(arena, ordinary, made);
    host = made[0];
  }
  return host;
}
