import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { FuseMeshError } from '../../errors/fusemesh-error.ts';

/** Where `npm run cuda` puts the build of ONNX Runtime that computes on NVIDIA GPUs; git ignores it. */
export const cudaBuildFolder = resolve(import.meta.dirname, '../../.fusemesh/cuda');

/** In that folder: ONNX Runtime itself. It finds its CUDA provider beside it. */
export const onnxRuntimeFileName = 'libonnxruntime.so.1';

/** In that folder: what it holds. It is written last. */
export const cudaBuildRecordName = 'build.json';

/** A build of ONNX Runtime with its CUDA provider. */
export interface CudaBuild {
  /** Of ONNX Runtime. */
  readonly version: string;
  /** Major version of the CUDA libraries that it needs. */
  readonly cuda: 12 | 13;
  /**
   * CUDA libraries that the dynamic linker does not find by itself, in the order in which to load them before the
   * provider.
   */
  readonly preload: readonly string[];
}

/**
 * The build that `npm run cuda` has put down; undefined where there is none.
 *
 * @throws FuseMeshError data_loss where its record cannot be read
 */
export function readCudaBuild(
  folder: string = cudaBuildFolder,
): (CudaBuild & { readonly file: string }) | undefined {
  const path = join(folder, cudaBuildRecordName);
  try {
    const build = JSON.parse(readFileSync(path, 'utf8')) as CudaBuild;
    return { ...build, file: join(folder, onnxRuntimeFileName) };
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new FuseMeshError('data_loss', `Cannot read ${path}: run \`npm run cuda\` again.`, { cause });
  }
}
