import type { EngineOptions } from '../engine/engine-options.ts';
import type { Fusion } from '../fusion/fusion-of-run.ts';
import type { RunConfig } from '../process/config/schema.ts';

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
