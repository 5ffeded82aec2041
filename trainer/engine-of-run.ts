import type { EngineOptions } from '../engine/engine-options.ts';
import { estimateMemoryOf, type MemoryEstimate } from '../engine/memory-estimate.ts';
import { FuseMeshError } from '../errors/fusemesh-error.ts';
import { type Fusion, fusionOf } from '../fusion/fusion-of-run.ts';
import { readArchitecture } from '../model/families/read-architecture.ts';
import type { AdapterConfig } from '../model/lora/read-adapter.ts';
import { targetLayers } from '../model/lora/target-layers.ts';
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
  execution: { provider: trainer.execution, device: trainer.device, precision: trainer.precision },
  lora: target.lora,
});

/**
 * What the run trains beside the target's weights; undefined where it trains the weights.
 *
 * @throws FuseMeshError invalid_argument where target.lora.targetModules fits no layer
 */
export async function adapterOf({ model, lora }: RunConfig['target']): Promise<AdapterConfig | undefined> {
  if (lora === undefined) return undefined;
  const layers = targetLayers(await readArchitecture(model), lora.targetModules);
  const transposed = [...layers.values()].some((layer) => layer.transposed);
  return { ...lora, baseModel: model, transposed };
}

/** 1234567890 → "1.23 GB". */
const gigabytes = (bytes: number): string => `${(bytes / 1e9).toPrecision(3)} GB`;

/** The memory that a training will take, in a line. */
export const memoryLine = ({ state, activations, temporaries, program, total }: MemoryEstimate): string =>
  `The training takes about ${gigabytes(total)} of memory: ${gigabytes(state)} for weights, gradients and ` +
  `optimizer state, ${gigabytes(activations)} for activations, ${gigabytes(temporaries)} for values in between, ` +
  `${gigabytes(program)} for the program`;

/**
 * The memory that the training of a run will take, known before anything is loaded.
 *
 * @param available bytes that this process may still take
 * @throws FuseMeshError resource_exhausted where it cannot fit, with the numbers and what makes them smaller
 */
export async function planMemory(config: RunConfig, available: number): Promise<MemoryEstimate> {
  const options = engineOptionsOf(config, fusionOf(config));
  const estimate = await estimateMemoryOf(config.target.model, options);
  if (estimate.total > available) {
    throw new FuseMeshError(
      'resource_exhausted',
      `${memoryLine(estimate)}; ${gigabytes(available)} are free: lower trainer.tokensAtOnce or contextLength, set trainer.recompute: true, train adapters (target.lora), or take a larger machine.`,
    );
  }
  return estimate;
}
