import type { CudaBuild } from '../../model/runtime/cuda-build.ts';
import {
  type CudaHere,
  type CudaMajor,
  driverSupports,
  hasDriver,
  missingLibraries,
  usableCuda,
  wantedCuda,
} from './cuda-libraries.ts';
import { type Finding, note, ok } from './finding.ts';

/** What computing on an NVIDIA GPU needs besides the GPU. */
export interface CudaState {
  readonly cuda: CudaHere;
  /** What `npm run cuda` has put down; undefined where it has not. */
  readonly cudaBuild: CudaBuild | undefined;
}

/** Which CUDA is here; nothing where there is neither a driver nor a complete CUDA. */
export function checkCudaLibraries({ cuda }: CudaState): Finding[] {
  const name = 'CUDA libraries';
  const complete = ([13, 12] as const).filter((major) => missingLibraries(cuda, major).length === 0);
  const driver = cuda.driver === undefined ? '' : `; the driver supports CUDA ${cuda.driver}`;
  if (complete.length > 0) return [ok(name, `of CUDA ${complete.join(' and ')}${driver}`)];
  return hasDriver(cuda) ? [note(name, `${missingText(cuda, wantedCuda(cuda) ?? 13)}${driver}`)] : [];
}

/**
 * What keeps ONNX Runtime from computing on CUDA, and what to do; undefined where it is none of what is looked for
 * here.
 */
export function whatCudaLacks({ cuda, cudaBuild }: CudaState): string | undefined {
  if (!hasDriver(cuda)) return 'there is no NVIDIA driver here: install it where there is an NVIDIA GPU.';
  const major = cudaBuild?.cuda ?? usableCuda(cuda) ?? wantedCuda(cuda);
  if (major === undefined || !driverSupports(cuda, major)) {
    return `the NVIDIA driver supports CUDA ${cuda.driver} at most, and not ${major ?? 12}: update it${major === 13 ? ', or run `npm run cuda -- --cuda 12`' : ''}.`;
  }
  if (missingLibraries(cuda, major).length > 0) {
    return `${missingText(cuda, major)}: install what is missing (docs/gpu.md), then run \`npm run cuda\`.`;
  }
  return cudaBuild ? undefined : "ONNX Runtime's CUDA build is not in this project: run `npm run cuda`.";
}

const missingText = (cuda: CudaHere, major: CudaMajor): string => {
  const missing = missingLibraries(cuda, major);
  return `of CUDA ${major} ${missing.join(', ')} ${missing.length === 1 ? 'is' : 'are'} missing`;
};
