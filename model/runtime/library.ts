// Before the library: it reads the environment.
import './no-telemetry.ts';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import koffi from 'koffi';
import { FuseMeshError } from '../../errors/fusemesh-error.ts';
import { apiVersion, type OrtApi, ortApi } from './c-api.ts';
import { readCudaBuild } from './cuda-build.ts';

/** Names another library file than the one that onnxruntime-node brings. */
const variable = 'FUSEMESH_ONNXRUNTIME';

/** The oldest that is known to compute what the tests expect. */
const oldest = [1, 30] as const;

/** ONNX Runtime, loaded. */
export interface Library {
  readonly file: string;
  readonly version: string;
  readonly api: OrtApi;
  /** Address of the OrtEnv, one for the whole process. */
  readonly environment: bigint;
}

let loaded: Library | undefined;

/**
 * ONNX Runtime's library: the one that FUSEMESH_ONNXRUNTIME names, else the one that `npm run cuda` has put down, else
 * that of onnxruntime-node.
 *
 * @throws FuseMeshError failed_precondition where the file does not load, or is an older ONNX Runtime
 */
export function library(): Library {
  loaded ??= load(process.env[variable] || readCudaBuild()?.file || ownFile());
  return loaded;
}

function load(file: string): Library {
  const { getApi, version } = open(file);
  refuseOlder(version, file);
  const api = ortApi(getApi(apiVersion));
  const environment = new BigUint64Array(1);
  api.CreateEnv(fatal, 'fusemesh', environment);
  return { file, version, api, environment: environment[0] };
}

/** @throws FuseMeshError failed_precondition for a version that lacks functions or has not been tried */
export function refuseOlder(version: string, file: string): void {
  const [major, minor] = version.split('.').map(Number);
  if (major === oldest[0] && minor >= oldest[1]) return;
  throw new FuseMeshError(
    'failed_precondition',
    `${file} is ONNX Runtime ${version}; FuseMesh needs ${oldest.join('.')} or newer, before ${oldest[0] + 1}: ${remedy}`,
  );
}

/** Level of what ONNX Runtime prints by itself: what goes wrong, it tells its caller as well. */
const fatal = 4;

function open(file: string): { readonly version: string; getApi(version: number): bigint } {
  try {
    keepLoaded(file);
    const base: bigint = koffi.load(file).func('void *OrtGetApiBase()')();
    const [getApi, getVersion]: bigint[] = koffi.decode(base, 'void *', 2);
    return {
      version: koffi.call(getVersion, koffi.proto('const char *()')),
      getApi: (version) => koffi.call(getApi, koffi.proto('void *(uint32_t)'), version),
    };
  } catch (cause) {
    throw new FuseMeshError(
      'failed_precondition',
      `ONNX Runtime's library ${file} does not load (${(cause as Error).message}): ${remedy}`,
      { cause },
    );
  }
}

/**
 * Opens a library and never closes it: koffi closes those that it has opened when a worker thread ends, while threads of
 * their own may still be in their code. The symbols of CUDA's libraries are there for all.
 */
function keepLoaded(file: string): void {
  if (process.platform === 'win32')
    koffi.load('kernel32.dll').func('void *LoadLibraryW(const char16_t *)')(file);
  else koffi.load(null).func('void *dlopen(const char *, int)')(file, resolveNow);
}

let cudaIsLoaded = false;

/** Loads the CUDA libraries that the dynamic linker would not find for ONNX Runtime's provider; once a thread. */
export function loadCudaLibraries(): void {
  if (cudaIsLoaded) return;
  for (const file of readCudaBuild()?.preload ?? []) keepLoaded(file);
  cudaIsLoaded = true;
}

/** RTLD_NOW of dlfcn.h. */
const resolveNow = 2;

const remedy = `set ${variable} to a file of ONNX Runtime's shared library, or unset it for the one that npm ci has installed`;

function ownFile(): string {
  const name = { win32: 'onnxruntime.dll', darwin: 'libonnxruntime.1.dylib' }[process.platform as string];
  const { resolve } = createRequire(import.meta.url);
  const folder = join(dirname(resolve('onnxruntime-node')), '..', 'bin', 'napi-v6');
  return join(folder, process.platform, process.arch, name ?? 'libonnxruntime.so.1');
}
