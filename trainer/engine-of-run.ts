import type { RunConfig } from '../mesh/config/schema.ts';
import type { EngineOptions } from './engine/engine-options.ts';
import type { Fusion } from './fusion-of-run.ts';

/** How the engine of a run trains. */
export const engineOptionsOf = (
  { target, trainer, contextLength }: RunConfig,
  { candidates, divergence, lambda }: Pick<Fusion, 'candidates' | 'divergence' | 'lambda'>,
): EngineOptions => ({
  contextLength,
  rowsAtOnce: Math.max(1, Math.floor(trainer.tokensAtOnce / contextLength)),
  candidates,
  divergence,
  lambda,
  weightDecay: trainer.weightDecay,
  beta1: trainer.beta1,
  beta2: trainer.beta2,
  clipNorm: trainer.clipNorm,
  threads: trainer.threads,
  recompute: trainer.recompute,
  execution: { provider: trainer.execution, precision: trainer.precision },
  lora: target.lora,
});
