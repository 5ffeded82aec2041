// Before the library: it reads the environment.
import './no-telemetry.ts';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { FuseMeshError } from '../../errors/fusemesh-error.ts';
import { noTensor } from '../onnx/emit.ts';

/** A tensor on our own buffer; ONNX Runtime reads or writes it in place. */
export type HostTensor =
  | { readonly data: Float32Array<ArrayBuffer>; readonly shape: readonly number[] }
  | { readonly data: Int32Array<ArrayBuffer>; readonly shape: readonly number[] }
  | { readonly data: BigInt64Array<ArrayBuffer>; readonly shape: readonly number[] };

/** A model ready to run. Runs block the thread: use it in a worker thread (see worker.ts). */
export interface Session {
  /**
   * @param feeds a tensor for every input; others are ignored
   * @param into buffers for outputs of known shape, filled in place; other outputs get new buffers, except
   *   that a model with the output {@link noTensor} needs buffers for all
   * @returns the buffers of all outputs by name
   */
  run(
    feeds: Readonly<Record<string, HostTensor>>,
    into?: Readonly<Record<string, HostTensor>>,
  ): Promise<Readonly<Record<string, HostTensor['data']>>>;
  close(): Promise<void>;
}

/** Where a model runs: on this machine's CPU, or on an NVIDIA GPU. */
export type ExecutionProvider = 'cpu' | 'cuda';

export interface SessionOptions {
  /** Threads of one matrix product. */
  readonly threads: number;
  /** Directory of the files that hold the model's external data. */
  readonly weightsDirectory?: string;
  /** Whether memory of temporaries is kept for the next run; if not, sessions can share it. */
  readonly keepsMemory?: boolean;
  readonly provider?: ExecutionProvider | 'webgpu';
}

/**
 * Opens an ONNX model.
 *
 * @param model bytes of a ModelProto
 * @throws FuseMeshError internal when ONNX Runtime refuses the model, failed_precondition when it has no CUDA
 */
export async function openSession(
  model: Uint8Array,
  { threads, weightsDirectory = '', keepsMemory = true, provider = 'cpu' }: SessionOptions,
): Promise<Session> {
  const session = await InferenceSession.create(model, {
    executionProviders: provider === 'webgpu' ? ['webgpu', 'cpu'] : [provider],
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    executionMode: 'sequential',
    graphOptimizationLevel: 'all',
    enableCpuMemArena: keepsMemory,
    enableMemPattern: keepsMemory,
    logSeverityLevel: 3,
    extra: {
      session: {
        model_external_initializers_file_folder_path: weightsDirectory,
        // Idle threads of one session would take time from another that computes.
        force_spinning_stop: '1',
      },
    },
  }).catch((cause: unknown) => {
    throw refusal((cause as Error).message, cause);
  });

  const intoBuffers = session.outputNames.includes(noTensor);
  const names = session.outputNames.filter((name) => name !== noTensor);
  return {
    async run(feeds, into = {}) {
      const missing = intoBuffers && names.find((name) => !(name in into));
      if (missing) throw new FuseMeshError('internal', `there is no buffer for the output "${missing}"`);
      const fetches = Object.fromEntries(
        session.outputNames.map((name) => [name, name in into ? tensorOn(into[name]) : null]),
      );
      const inputs = Object.fromEntries(session.inputNames.map((name) => [name, tensorOn(feeds[name])]));
      const results = await session.run(inputs, fetches).catch((error: Error) => {
        if (intoBuffers && isAboutNoTensor(error)) return {} as Record<string, Tensor>;
        throw error;
      });
      return Object.fromEntries(
        names.map((name) => [name, into[name]?.data ?? (results[name].data as HostTensor['data'])]),
      );
    },
    close: () => session.release(),
  };
}

/** What onnxruntime-node says about an output that is no tensor, after it has computed all outputs. */
const isAboutNoTensor = ({ message }: Error): boolean => message.startsWith('Non tensor type');

function refusal(reason: string, cause: unknown): FuseMeshError {
  if (/ExecutionProvider_Cuda|CUDA/.test(reason)) {
    return new FuseMeshError(
      'failed_precondition',
      `ONNX Runtime cannot compute on a GPU here (${reason}): install CUDA 12 and cuDNN 9 and run "node node_modules/onnxruntime-node/script/install.js --onnxruntime-node-install=cuda12", or use execution: cpu.`,
      { cause },
    );
  }
  return new FuseMeshError('internal', `ONNX Runtime refuses the model: ${reason}`, { cause });
}

const tensorOn = ({ data, shape }: HostTensor): Tensor => {
  const type =
    data instanceof Float32Array ? 'float32' : data instanceof Int32Array ? 'int32' : ('int64' as const);
  return new Tensor(type, data, shape);
};
