import type { Execution } from '../../engine/engine-options.ts';
import type { ExecutionProvider, Placement } from '../../model/runtime/placement.ts';

export const providers: readonly ExecutionProvider[] = ['cuda', 'webgpu', 'cpu'];

/** On what the proof computes. */
export interface Place extends Placement {
  readonly device: number;
}

export type Precision = Execution['precision'];

/** The processor in float32, which the tests compare with PyTorch: what all else is compared with. */
export const reference: Execution = { provider: 'cpu', precision: 'float32' };
