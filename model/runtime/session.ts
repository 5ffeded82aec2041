import koffi from 'koffi';
import { FuseMeshError } from '../../errors/fusemesh-error.ts';
import { deviceFailure } from './device-failure.ts';
import { hold, letGo } from './holdings.ts';
import { library, loadCudaLibraries } from './library.ts';
import { operatorsOnProcessor, remembersAssignment } from './on-processor.ts';
import type { ExecutionProvider } from './placement.ts';
import { arrayOf, byteLengthOf, type HostTensor, isOnDevice, ortValue, type Tensor } from './tensor.ts';

/** Tensors by the names of a session's inputs or outputs. */
export type Tensors = Readonly<Record<string, Tensor>>;

/** Bytes of tensors that went from this process's memory to a device's, and back. */
export interface BytesCrossed {
  toDevice: number;
  fromDevice: number;
}

/** A model ready to run. */
export interface Session {
  /**
   * Runs block the thread, but for those apart: use it in a worker thread (see worker.ts).
   *
   * @param feeds a tensor for every input, wherever it lives; others are ignored
   * @param into a tensor for every output, filled in place; left out, all outputs get new arrays
   * @param apart whether to compute on a thread of its own
   * @returns the arrays of the outputs by name, but for those on a device
   * @throws FuseMeshError resource_exhausted where the device has too little memory, unavailable where it is lost
   */
  run(
    feeds: Tensors,
    into?: Tensors,
    options?: { readonly apart?: boolean },
  ): Promise<Readonly<Record<string, HostTensor['data']>>>;
  /** Operators that the processor computes although the session has another provider, by their names in ONNX. */
  readonly onProcessor: ReadonlySet<string>;
  /** Address of the OrtSession. */
  readonly address: bigint;
  close(): Promise<void>;
}

export interface SessionOptions {
  /** Threads of one matrix product. */
  readonly threads: number;
  /** Directory of the files that hold the model's external data. */
  readonly weightsDirectory?: string;
  /** Whether memory of temporaries is kept for the next run; if not, sessions can share it. */
  readonly keepsMemory?: boolean;
  readonly provider?: ExecutionProvider;
  /** Which of several GPUs, from 0; for cuda. */
  readonly device?: number | undefined;
  /** Whether to open it on a thread of its own, beside what other sessions compute. */
  readonly apart?: boolean;
  /** Where the session counts what its runs bring to the device and back. */
  readonly crossed?: BytesCrossed | undefined;
}

const sequential = 0;
const allOptimizations = 99;
/** Level of what a session prints by itself: what goes wrong, it tells its caller. */
const fatal = 4;

/**
 * Opens an ONNX model.
 *
 * @param model bytes of a ModelProto
 * @throws FuseMeshError internal when ONNX Runtime refuses the model, failed_precondition when it has no such provider,
 *   resource_exhausted when the model does not fit on the device
 */
export async function openSession(model: Uint8Array, options: SessionOptions): Promise<Session> {
  const { api, environment } = library();
  const sessionOptions = optionsOf(options);
  const opened = new BigUint64Array(1);
  try {
    appendProvider(options, sessionOptions);
    const parameters = [environment, model, model.byteLength, sessionOptions, opened] as const;
    if (options.apart) await api.CreateSessionFromArray.async(...parameters);
    else api.CreateSessionFromArray(...parameters);
  } catch (error) {
    const cause = deviceFailure(error, options.provider);
    if (cause instanceof FuseMeshError && cause.code === 'unavailable') throw refusal(options, error);
    if (cause instanceof FuseMeshError && cause.code !== 'internal') throw cause;
    throw new FuseMeshError('internal', `ONNX Runtime refuses the model: ${(cause as Error).message}`, {
      cause,
    });
  } finally {
    api.ReleaseSessionOptions(sessionOptions);
  }
  return new OpenSession(opened[0], options);
}

class OpenSession implements Session {
  readonly address: bigint;
  readonly onProcessor: ReadonlySet<string>;
  readonly #provider: ExecutionProvider;
  readonly #crossed: BytesCrossed | undefined;
  readonly #inputs: Names;
  readonly #outputs: Names;

  constructor(address: bigint, { provider = 'cpu', crossed }: SessionOptions) {
    const { api } = library();
    this.address = hold(address, api.ReleaseSession);
    this.#provider = provider;
    this.onProcessor = provider === 'cpu' ? new Set() : operatorsOnProcessor(address);
    this.#crossed = provider === 'cpu' ? undefined : crossed;
    this.#inputs = namesOf(address, api.SessionGetInputCount, api.SessionGetInputName);
    this.#outputs = namesOf(address, api.SessionGetOutputCount, api.SessionGetOutputName);
  }

  async run(
    feeds: Tensors,
    into?: Tensors,
    { apart = false }: { readonly apart?: boolean } = {},
  ): Promise<Readonly<Record<string, HostTensor['data']>>> {
    const { api } = library();
    const [inputs, outputs] = [this.#inputs, this.#outputs];
    const made: bigint[] = [];
    const addressOf = (tensor: Tensor): bigint => {
      const value = ortValue(tensor);
      made.push(value);
      return value;
    };
    const inputValues = new BigUint64Array(inputs.list.length);
    const outputValues = new BigUint64Array(outputs.list.length);
    try {
      for (const [i, name] of inputs.list.entries())
        inputValues[i] = addressOf(feeds[name] ?? missing('input', name));
      if (into) {
        for (const [i, name] of outputs.list.entries())
          outputValues[i] = addressOf(into[name] ?? missing('output', name));
      }
      const parameters = [
        this.address,
        null,
        inputs.pointers,
        inputValues,
        inputValues.length,
        outputs.pointers,
        outputValues.length,
        outputValues,
      ] as const;
      if (apart) await api.Run.async(...parameters);
      else api.Run(...parameters);
      const results: Record<string, HostTensor['data']> = {};
      for (const [i, name] of outputs.list.entries()) {
        const given = into?.[name];
        if (!given) {
          made.push(outputValues[i]);
          results[name] = arrayOf(outputValues[i]);
        } else if (!isOnDevice(given)) results[name] = given.data;
      }
      this.#count(feeds, results);
      return results;
    } catch (error) {
      throw deviceFailure(error, this.#provider);
    } finally {
      for (const value of made) api.ReleaseValue(value);
    }
  }

  #count(feeds: Tensors, results: Readonly<Record<string, HostTensor['data']>>): void {
    if (!this.#crossed) return;
    for (const name of this.#inputs.list)
      if (!isOnDevice(feeds[name])) this.#crossed.toDevice += byteLengthOf(feeds[name]);
    for (const { byteLength } of Object.values(results)) this.#crossed.fromDevice += byteLength;
  }

  async close(): Promise<void> {
    letGo(this.address);
  }
}

function missing(what: 'input' | 'output', name: string): never {
  throw new FuseMeshError('internal', `there is no tensor for the ${what} "${name}"`);
}

/** Names with a C array of pointers to them. */
interface Names {
  readonly list: readonly string[];
  readonly pointers: BigUint64Array;
  /** What the pointers point to. */
  readonly bytes: Uint8Array;
}

function cStrings(list: readonly string[]): Names {
  const bytes = new TextEncoder().encode(list.map((name) => `${name}\0`).join(''));
  const pointers = new BigUint64Array(list.length);
  let next = koffi.address(bytes);
  for (const [i, name] of list.entries()) {
    pointers[i] = next;
    next += BigInt(Buffer.byteLength(name) + 1);
  }
  return { list, pointers, bytes };
}

type Api = ReturnType<typeof library>['api'];

function namesOf(
  session: bigint,
  count: Api['SessionGetInputCount'],
  name: Api['SessionGetInputName'],
): Names {
  const { api } = library();
  const found = new BigUint64Array(1);
  api.GetAllocatorWithDefaultOptions(found);
  const allocator = found[0];
  count(session, found);
  const list = Array.from({ length: Number(found[0]) }, (_, i) => {
    name(session, i, allocator, found);
    const text = koffi.decode.string(found[0]);
    api.AllocatorFree(allocator, found[0]);
    return text;
  });
  return cStrings(list);
}

/** Address of an OrtSessionOptions. */
function optionsOf({
  threads,
  weightsDirectory = '',
  keepsMemory = true,
  provider = 'cpu',
}: SessionOptions): bigint {
  const { api } = library();
  const made = new BigUint64Array(1);
  api.CreateSessionOptions(made);
  const [options] = made;
  try {
    api.SetIntraOpNumThreads(options, threads);
    api.SetInterOpNumThreads(options, 1);
    api.SetSessionExecutionMode(options, sequential);
    api.SetSessionGraphOptimizationLevel(options, allOptimizations);
    api.SetSessionLogSeverityLevel(options, fatal);
    if (!keepsMemory) {
      api.DisableCpuMemArena(options);
      api.DisableMemPattern(options);
    }
    api.AddSessionConfigEntry(
      options,
      'session.model_external_initializers_file_folder_path',
      weightsDirectory,
    );
    // Idle threads of one session would take time from another that computes.
    api.AddSessionConfigEntry(options, 'session.force_spinning_stop', '1');
    if (provider !== 'cpu') api.AddSessionConfigEntry(options, remembersAssignment, '1');
    return options;
  } catch (error) {
    api.ReleaseSessionOptions(options);
    throw error;
  }
}

/**
 * Adds the provider to the options; what it has no kernel for, the CPU computes.
 *
 * @throws FuseMeshError failed_precondition where its libraries or its device are not there
 */
function appendProvider({ provider = 'cpu', device = 0 }: SessionOptions, options: bigint): void {
  try {
    if (provider === 'webgpu')
      library().api.SessionOptionsAppendExecutionProvider(options, 'WebGPU', null, null, 0);
    if (provider === 'cuda') appendCuda(options, device);
  } catch (cause) {
    throw refusal({ provider }, cause);
  }
}

function refusal({ provider = 'cpu' }: Pick<SessionOptions, 'provider'>, cause: unknown): FuseMeshError {
  const reason = (cause as Error).message;
  return new FuseMeshError(
    'failed_precondition',
    `ONNX Runtime cannot compute ${ways[provider]} here (${reason}): ${remedies[provider]}, or use execution: cpu.`,
    { cause },
  );
}

const ways: Readonly<Record<ExecutionProvider, string>> = {
  cpu: 'at all',
  cuda: 'on a GPU',
  webgpu: 'by WebGPU',
};

const remedies: Readonly<Record<ExecutionProvider, string>> = {
  cpu: 'install the packages again with npm ci',
  cuda: 'run "npm run cuda"',
  webgpu: "install the Vulkan driver of this machine's GPU",
};

function appendCuda(options: bigint, device: number): void {
  const { api } = library();
  loadCudaLibraries();
  const made = new BigUint64Array(1);
  api.CreateCUDAProviderOptions(made);
  try {
    const settings = {
      device_id: String(device),
      // Rounds no operand of a product: what is asked for in float32 is computed so.
      use_tf32: '0',
      // Twice as much each time would take memory that other sessions need.
      arena_extend_strategy: 'kSameAsRequested',
    };
    const [keys, values] = [cStrings(Object.keys(settings)), cStrings(Object.values(settings))];
    api.UpdateCUDAProviderOptions(made[0], keys.pointers, values.pointers, keys.list.length);
    api.SessionOptionsAppendExecutionProvider_CUDA_V2(options, made[0]);
  } finally {
    api.ReleaseCUDAProviderOptions(made[0]);
  }
}
