import type { EngineOptions } from '../../engine/engine-options.ts';
import type { TrainingBatch } from '../../engine/training-batch.ts';

/** Options for training on a batch, all of its documents at once, as the golden files were made. */
export const optionsFor = ({
  lengths,
  candidates,
}: Pick<TrainingBatch, 'lengths' | 'candidates'>): EngineOptions => ({
  contextLength: Math.max(...lengths),
  rowsAtOnce: lengths.length,
  candidates,
  lambda: 0.9,
  divergence: { kind: 'ce' },
  weightDecay: 0.1,
  beta1: 0.9,
  beta2: 0.95,
  clipNorm: 1,
  threads: 1,
  recompute: false,
  execution: { provider: 'cpu', precision: 'float32' },
});

/** The same on a device. */
export const optionsOnDevice = (batch: Pick<TrainingBatch, 'lengths' | 'candidates'>): EngineOptions => ({
  ...optionsFor(batch),
  execution: { provider: 'webgpu', precision: 'float32' },
});
