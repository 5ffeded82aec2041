import {
  type CudaHere,
  type CudaMajor,
  hasDriver,
  missingLibraries,
  usableCuda,
  wantedCuda,
} from '../../cli/doctor/cuda-libraries.ts';
import { FuseMeshError } from '../../errors/fusemesh-error.ts';

/**
 * The CUDA of this machine.
 *
 * @throws FuseMeshError failed_precondition where there is none that can be used, saying what is missing
 */
export function chooseCuda(here: CudaHere): CudaMajor {
  const usable = usableCuda(here);
  if (usable !== undefined) return usable;
  if (!hasDriver(here)) {
    throw new FuseMeshError(
      'failed_precondition',
      'There is no NVIDIA driver here (neither nvidia-smi nor libcuda.so.1): install it where there is an NVIDIA GPU, or name the CUDA of the machine that this is for with `npm run cuda -- --cuda 13`. Nothing is needed to compute on the processor.',
    );
  }
  const wanted = wantedCuda(here);
  if (wanted === undefined) {
    throw new FuseMeshError(
      'failed_precondition',
      `The NVIDIA driver supports CUDA ${here.driver} at most; ONNX Runtime needs 12 or 13: update the driver.`,
    );
  }
  const driver = here.driver === undefined ? '' : ` (the driver supports ${here.driver})`;
  throw new FuseMeshError(
    'failed_precondition',
    `Of CUDA ${wanted}${driver} these libraries are missing: ${missingLibraries(here, wanted).join(', ')}. ${howToInstall(wanted)}, then run \`npm run cuda\` again.`,
  );
}

/** How the CUDA libraries come onto a machine; docs/gpu.md says more. */
export const howToInstall = (major: CudaMajor): string =>
  `Install them with \`pip install ${packages[major]}\` or from NVIDIA's own packages`;

const packages: Readonly<Record<CudaMajor, string>> = {
  12: 'nvidia-cuda-runtime-cu12 nvidia-cuda-nvrtc-cu12 nvidia-cublas-cu12 nvidia-curand-cu12 nvidia-cudnn-cu12~=9.0',
  13: 'nvidia-cuda-runtime~=13.0 nvidia-cuda-nvrtc~=13.0 nvidia-cublas~=13.0 nvidia-curand nvidia-cudnn-cu13~=9.0',
};
