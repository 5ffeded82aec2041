import type { EngineOptions } from '../../trainer/engine/engine-options.ts';
import type { TrainingBatch } from '../../trainer/engine/training-batch.ts';

/** What a run file has by default (trainer.tokensAtOnce). */
const tokensAtOnce = 1024;

/** The options of a run for batches of such documents, as they are where its file says nothing else. */
export function engineOptions(
  { lengths, candidates }: Pick<TrainingBatch, 'lengths' | 'candidates'>,
  threads: number,
): EngineOptions {
  const contextLength = Math.max(...lengths);
  return {
    contextLength,
    rowsAtOnce: Math.max(1, Math.floor(tokensAtOnce / contextLength)),
    candidates,
    lambda: 0.9,
    divergence: { kind: 'ce' },
    weightDecay: 0.1,
    beta1: 0.9,
    beta2: 0.95,
    clipNorm: 1,
    threads,
    recompute: false,
    execution: { provider: 'cpu', precision: 'float32' },
  };
}
