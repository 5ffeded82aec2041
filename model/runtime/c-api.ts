import koffi, { type KoffiFunc } from 'koffi';
import { FuseMeshError } from '../../errors/fusemesh-error.ts';

/** What a pointer argument takes: an address, an array whose memory is read or written, or nothing. */
type Pointer =
  | bigint
  | Float32Array
  | Int32Array
  | Uint16Array
  | Uint8Array
  | BigInt64Array
  | BigUint64Array
  | null;

/** Kinds of arguments: what they are in C, and in TypeScript. */
const inC = { pointer: 'void *', text: 'const char *', int: 'int', size: 'size_t' } as const;
interface InTypeScript {
  readonly pointer: Pointer;
  readonly text: string;
  readonly int: number;
  readonly size: number;
}
type Kind = keyof InTypeScript;

interface CFunction<Kinds extends readonly Kind[] = readonly Kind[]> {
  /** Among the functions of OrtApi, from 0. It never changes: ONNX Runtime adds new ones at the end. */
  readonly place: number;
  readonly parameters: Kinds;
}

const at = <const Kinds extends readonly Kind[]>(place: number, ...parameters: Kinds): CFunction<Kinds> => ({
  place,
  parameters,
});

/**
 * The functions of ONNX Runtime's C API that we call, by their places in `struct OrtApi` (onnxruntime_c_api.h). They
 * give an OrtStatus, and write results to what their last arguments point to.
 */
const functions = {
  CreateEnv: at(3, 'int', 'text', 'pointer'),
  CreateSessionFromArray: at(8, 'pointer', 'pointer', 'size', 'pointer', 'pointer'),
  Run: at(9, 'pointer', 'pointer', 'pointer', 'pointer', 'size', 'pointer', 'size', 'pointer'),
  CreateSessionOptions: at(10, 'pointer'),
  SetSessionExecutionMode: at(13, 'pointer', 'int'),
  DisableMemPattern: at(17, 'pointer'),
  DisableCpuMemArena: at(19, 'pointer'),
  SetSessionLogSeverityLevel: at(22, 'pointer', 'int'),
  SetSessionGraphOptimizationLevel: at(23, 'pointer', 'int'),
  SetIntraOpNumThreads: at(24, 'pointer', 'int'),
  SetInterOpNumThreads: at(25, 'pointer', 'int'),
  SessionGetInputCount: at(30, 'pointer', 'pointer'),
  SessionGetOutputCount: at(31, 'pointer', 'pointer'),
  SessionGetInputName: at(36, 'pointer', 'size', 'pointer', 'pointer'),
  SessionGetOutputName: at(37, 'pointer', 'size', 'pointer', 'pointer'),
  CreateTensorAsOrtValue: at(48, 'pointer', 'pointer', 'size', 'int', 'pointer'),
  CreateTensorWithDataAsOrtValue: at(49, 'pointer', 'pointer', 'size', 'pointer', 'size', 'int', 'pointer'),
  GetTensorMutableData: at(51, 'pointer', 'pointer'),
  GetTensorElementType: at(60, 'pointer', 'pointer'),
  GetTensorShapeElementCount: at(64, 'pointer', 'pointer'),
  GetTensorTypeAndShape: at(65, 'pointer', 'pointer'),
  CreateMemoryInfo: at(68, 'text', 'int', 'int', 'int', 'pointer'),
  CreateCpuMemoryInfo: at(69, 'int', 'int', 'pointer'),
  AllocatorFree: at(76, 'pointer', 'pointer'),
  GetAllocatorWithDefaultOptions: at(78, 'pointer'),
  AddSessionConfigEntry: at(130, 'pointer', 'text', 'text'),
  CreateAllocator: at(131, 'pointer', 'pointer', 'pointer'),
  SessionOptionsAppendExecutionProvider_CUDA_V2: at(204, 'pointer', 'pointer'),
  CreateCUDAProviderOptions: at(205, 'pointer'),
  UpdateCUDAProviderOptions: at(206, 'pointer', 'pointer', 'pointer', 'size'),
  SessionOptionsAppendExecutionProvider: at(216, 'pointer', 'text', 'pointer', 'pointer', 'size'),
  Session_GetEpGraphAssignmentInfo: at(407, 'pointer', 'pointer', 'pointer'),
  EpAssignedSubgraph_GetEpName: at(408, 'pointer', 'pointer'),
  EpAssignedSubgraph_GetNodes: at(409, 'pointer', 'pointer', 'pointer'),
  EpAssignedNode_GetOperatorType: at(412, 'pointer', 'pointer'),
};

/** Those that free what others have made. */
const releases = {
  ReleaseStatus: 93,
  ReleaseSession: 95,
  ReleaseValue: 96,
  ReleaseTensorTypeAndShapeInfo: 99,
  ReleaseSessionOptions: 100,
  ReleaseAllocator: 132,
  ReleaseCUDAProviderOptions: 208,
};

/** The version of the API that has all of these; ONNX Runtime 1.24 is the first with it. */
export const apiVersion = 24;
const functionCount = 413;

type Status = bigint | null;

type Arguments<Entry> =
  Entry extends CFunction<infer Kinds>
    ? { readonly [Index in keyof Kinds]: InTypeScript[Kinds[Index]] }
    : never;

/** A function whose status is checked. It blocks; `async` computes on a thread of its own. */
interface CheckedFunction<Parameters extends readonly unknown[]> {
  /** @throws FuseMeshError internal with ONNX Runtime's own message */
  (...parameters: Parameters): void;
  async(...parameters: Parameters): Promise<void>;
}

/** ONNX Runtime's functions by their names. */
export type OrtApi = {
  readonly [Name in keyof typeof functions]: CheckedFunction<Arguments<(typeof functions)[Name]>>;
} & { readonly [Name in keyof typeof releases]: (pointer: bigint) => void };

/** What ONNX Runtime says, in one line, without the place in its source where it noticed. */
export const withoutPlace = (message: string): string =>
  message
    .replaceAll(/\/\S+\.(?:cc|h):\d+ .*?(?: was false\. |\[ONNXRuntimeError\] : \d+ : \w+ : )/gs, '')
    .replaceAll(/\s+/g, ' ')
    .trim();

/** @param table address of an OrtApi of at least {@link apiVersion} */
export function ortApi(table: bigint): OrtApi {
  const addresses: bigint[] = koffi.decode(table, 'void *', functionCount);
  const native = (place: number, result: string, parameters: readonly Kind[]) =>
    koffi.decode(
      addresses[place],
      koffi.proto(
        result,
        parameters.map((kind) => inC[kind]),
      ),
    ) as KoffiFunc<(...values: unknown[]) => unknown>;
  const errorMessage = native(2, 'const char *', ['pointer']);
  const releaseStatus = native(releases.ReleaseStatus, 'void', ['pointer']);
  const check = (status: Status) => {
    if (status === null) return;
    const message = errorMessage(status) as string;
    releaseStatus(status);
    throw new FuseMeshError('internal', withoutPlace(message));
  };
  const checked = ({ place, parameters }: CFunction) => {
    const call = native(place, 'void *', parameters);
    const blocking = (...values: unknown[]) => check(call(...values) as Status);
    const async = (...values: unknown[]) =>
      new Promise<void>((resolve, reject) => {
        call.async(...values, (error: Error | null, status: unknown) => {
          try {
            if (error) throw error;
            check(status as Status);
            resolve();
          } catch (failure) {
            reject(failure);
          }
        });
      });
    return Object.assign(blocking, { async });
  };
  return Object.fromEntries([
    ...Object.entries(functions).map(([name, entry]) => [name, checked(entry)]),
    ...Object.entries(releases).map(([name, place]) => [name, native(place, 'void', ['pointer'])]),
  ]) as OrtApi;
}
