import { greaterOrEqual, mul, where } from '../graph/expressions.ts';
import type { Value } from '../graph/graph.ts';
import { createGraph } from '../graph/operators.ts';
import { elementCount } from '../graph/shape.ts';
import { bytesPerElement, type ElementType, type Half } from '../graph/tensor-type.ts';
import { emitModel } from '../onnx/emit.ts';
import { deviceFailure } from './device-failure.ts';
import { hold, letGo } from './holdings.ts';
import { library } from './library.ts';
import type { ExecutionProvider } from './placement.ts';
import { openSession, type Session, type SessionOptions } from './session.ts';
import {
  arrayIn,
  beginningOf,
  type DeviceTensor,
  type HostTensor,
  onnxTypes,
  type Tensor,
} from './tensor.ts';

/** What a tensor that stays may hold. */
type KeptElement = 'float32' | 'int32' | 'int64' | Half;

/** Where tensors that stay from run to run live: in this process's memory, or in a device's. Float32 but where said. */
export interface Memory {
  /**
   * @returns a tensor of any values: on a device, of those that were there before
   * @throws FuseMeshError resource_exhausted where the device has too little memory; WebGPU may say so when the tensor
   *   is first used
   */
  allocate(shape: readonly number[], elementType?: KeptElement): Tensor;
  /** A float32 tensor of zeros; in this process's memory, it takes none until it is written to. */
  zeros(shape: readonly number[]): Promise<Tensor>;
  /** Gives back the memory of a tensor that {@link allocate} or {@link place} has made. */
  free(tensor: Tensor): void;
  /** A tensor of these values; in this process's memory it is on the same array. */
  place(values: Float32Array<ArrayBuffer>, shape: readonly number[]): Promise<Tensor>;
  /**
   * Beside other computations, where the provider can.
   *
   * @param values as many as the tensor has, of its element type
   */
  write(tensor: Tensor, values: HostTensor['data']): Promise<void>;
  /** A copy of a tensor's values. */
  read(tensor: Tensor): Promise<Float32Array<ArrayBuffer>>;
  /** Makes all values zero. */
  clear(tensor: Tensor): Promise<void>;
  /** Multiplies all values. */
  scale(tensor: Tensor, factor: number): Promise<void>;
  close(): Promise<void>;
}

/** The memory for the tensors of sessions with these options. */
export async function openMemory(options: Where): Promise<Memory> {
  return (options.provider ?? 'cpu') === 'cpu' ? processMemory : DeviceMemory.open(options);
}

type Where = Pick<SessionOptions, 'provider' | 'device' | 'crossed'>;

/** This process's own. */
export const processMemory: Memory = {
  allocate: (shape, elementType = 'float32') => {
    const count = elementCount(shape);
    if (elementType === 'float32') return { data: new Float32Array(count), shape };
    if (elementType === 'int32') return { data: new Int32Array(count), shape };
    if (elementType === 'int64') return { data: new BigInt64Array(count), shape };
    return { data: new Uint16Array(count), shape, elementType };
  },
  zeros: async (shape) => ({ data: new Float32Array(elementCount(shape)), shape }),
  free: () => {},
  place: async (data, shape) => ({ data, shape }),
  write: async (tensor, values) =>
    (tensor as { readonly data: { set(values: HostTensor['data']): void } }).data.set(values),
  read: async (tensor) => arrayIn(tensor).slice(),
  clear: async (tensor) => {
    arrayIn(tensor).fill(0);
  },
  scale: async (tensor, factor) => {
    const values = arrayIn(tensor);
    for (let i = 0; i < values.length; i++) values[i] *= factor;
  },
  close: async () => {},
};

/** This process's own, which all of its threads see: a snapshot of it need be no copy. */
export const sharedMemory: Memory = {
  ...processMemory,
  allocate: (shape) => ({ data: sharedArray(elementCount(shape)), shape }),
  zeros: async (shape) => ({ data: sharedArray(elementCount(shape)), shape }),
  place: async (values, shape) => {
    const data = sharedArray(values.length);
    data.set(values);
    return { data, shape };
  },
};

/** TypeScript tells arrays on shared memory from others; all that we do with them is the same. */
const sharedArray = (length: number): Float32Array<ArrayBuffer> =>
  new Float32Array(new SharedArrayBuffer(4 * length) as ArrayBufferLike as ArrayBuffer);

/** What ONNX Runtime calls the memory of each provider's devices. */
const memoryNames = { cuda: 'Cuda', webgpu: 'WebGPU_Buf' } as const;

/** OrtDeviceAllocator and OrtMemTypeDefault of onnxruntime_c_api.h. */
const [deviceAllocator, ordinary] = [0, 0];

class DeviceMemory implements Memory {
  readonly #options: Where;
  /** Models of one input x [n] that compute on the device, by what they do; each is opened when it is first used. */
  readonly #sessions: Map<string, Session>;
  readonly #memory: bigint;
  readonly #allocator: bigint;
  readonly #provider: ExecutionProvider;
  /** Addresses of OrtValues by their data. */
  readonly #values = new Map<bigint, bigint>();

  private constructor(options: Where, copy: Session, memory: bigint, allocator: bigint) {
    this.#options = options;
    this.#provider = options.provider!;
    this.#sessions = new Map([['copy float32', copy]]);
    this.#memory = memory;
    this.#allocator = allocator;
  }

  static async open(options: Where): Promise<DeviceMemory> {
    const copy = await openSession(modelOf('float32', identity), { threads: 1, ...options });
    const { api } = library();
    const made = new BigUint64Array(1);
    const name = memoryNames[options.provider as keyof typeof memoryNames];
    api.CreateMemoryInfo(name, deviceAllocator, options.device ?? 0, ordinary, made);
    const [memory] = made;
    api.CreateAllocator(copy.address, memory, made);
    const allocator = hold(made[0], api.ReleaseAllocator);
    return new DeviceMemory(options, copy, memory, allocator);
  }

  allocate(shape: readonly number[], elementType: KeptElement = 'float32'): Tensor {
    const { api } = library();
    const found = new BigUint64Array(1);
    // WebGPU has no empty buffers.
    const count = Math.max(1, elementCount(shape));
    const sizes = BigInt64Array.of(BigInt(count));
    try {
      api.CreateTensorAsOrtValue(this.#allocator, sizes, 1, onnxTypes[elementType], found);
    } catch (error) {
      throw deviceFailure(error, this.#provider);
    }
    const value = hold(found[0], api.ReleaseValue);
    api.GetTensorMutableData(value, found);
    const [data] = found;
    this.#values.set(data, value);
    const byteLength = bytesPerElement[elementType] * count;
    return { buffer: { memory: this.#memory, data, byteLength }, elementType, shape };
  }

  async zeros(shape: readonly number[]): Promise<Tensor> {
    const tensor = this.allocate(shape);
    await this.clear(tensor);
    return tensor;
  }

  free(tensor: Tensor): void {
    const { data } = (tensor as DeviceTensor).buffer;
    letGo(this.#values.get(data)!);
    this.#values.delete(data);
  }

  async place(values: Float32Array<ArrayBuffer>, shape: readonly number[]): Promise<Tensor> {
    const tensor = this.allocate(shape);
    await this.write(tensor, values);
    return tensor;
  }

  async write(tensor: Tensor, data: HostTensor['data']): Promise<void> {
    const { elementType } = tensor as DeviceTensor;
    const feeds = { x: { data, shape: [data.length], elementType } as HostTensor };
    // ONNX Runtime itself brings the input to the device.
    const copy = await this.#session('copy', identity, elementType);
    // Sessions of WebGPU share one queue without a lock.
    const apart = this.#provider === 'cuda';
    await copy.run(feeds, { y: flat(tensor) }, { apart });
  }

  async read(tensor: Tensor): Promise<Float32Array<ArrayBuffer>> {
    const data = new Float32Array(elementCount(tensor.shape));
    const copy = await this.#session('copy', identity);
    await copy.run({ x: flat(tensor) }, { y: { data, shape: [data.length] } });
    return data;
  }

  async clear(tensor: Tensor): Promise<void> {
    // Whatever the values are, NaN too.
    const clear = await this.#session('clear', (x) => where(greaterOrEqual(x, 0), 0, 0));
    await clear.run({ x: flat(tensor) }, { y: flat(tensor) });
  }

  async scale(tensor: Tensor, factor: number): Promise<void> {
    const feeds = { x: flat(tensor), factor: { data: Float32Array.of(factor), shape: [1] } };
    const scale = await this.#session('scale', (x) => mul(x, x.graph.input('factor', 'float32', [1])));
    await scale.run(feeds, { y: flat(tensor) });
  }

  async close(): Promise<void> {
    for (const value of this.#values.values()) letGo(value);
    letGo(this.#allocator);
    for (const session of this.#sessions.values()) await session.close();
  }

  async #session(
    what: string,
    y: (x: Value) => Value,
    elementType: ElementType = 'float32',
  ): Promise<Session> {
    const name = `${what} ${elementType}`;
    const known = this.#sessions.get(name);
    if (known) return known;
    const session = await openSession(modelOf(elementType, y), { threads: 1, ...this.#options });
    this.#sessions.set(name, session);
    return session;
  }
}

const identity = (x: Value): Value => x;
const modelOf = (elementType: ElementType, y: (x: Value) => Value): Uint8Array =>
  emitModel({ y: y(createGraph().input('x', elementType, ['n'])) }, { dialect: 'standard' });
const flat = (tensor: Tensor): Tensor => beginningOf(tensor, [elementCount(tensor.shape)]);
