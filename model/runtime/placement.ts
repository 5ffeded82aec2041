/** Where a model runs: on this machine's CPU, on an NVIDIA GPU, or on a GPU of any vendor by WebGPU. */
export type ExecutionProvider = 'cpu' | 'cuda' | 'webgpu';

/** What computes a model. */
export interface Placement {
  readonly provider: ExecutionProvider;
  /** Which of several GPUs, for cuda; left out, the first. */
  readonly device?: number | undefined;
}
