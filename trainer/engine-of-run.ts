import type { EngineOptions } from '../engine/engine-options.ts';
import { estimateMemoryOf, type MemoryEstimate, type MemoryNeed } from '../engine/memory-estimate.ts';
import { FuseMeshError } from '../errors/fusemesh-error.ts';
import { type Fusion, fusionOf } from '../fusion/fusion-of-run.ts';
import { readTrainable } from '../model/families/read-architecture.ts';
import type { AdapterConfig } from '../model/lora/read-adapter.ts';
import { targetLayers } from '../model/lora/target-layers.ts';
import { findGraphicsCards } from '../model/runtime/graphics-cards.ts';
import type { RunConfig } from '../process/config/schema.ts';

/** How the engine of a run trains. */
export const engineOptionsOf = (
  { target, trainer, contextLength }: RunConfig,
  {
    candidates,
    divergence,
    rolloutDivergence,
    lambda,
  }: Pick<Fusion, 'candidates' | 'divergence' | 'rolloutDivergence' | 'lambda'>,
): EngineOptions => ({
  contextLength,
  rowsAtOnce: Math.max(1, Math.floor(trainer.tokensAtOnce / contextLength)),
  candidates,
  divergence,
  rolloutDivergence,
  lambda,
  weightDecay: trainer.weightDecay,
  beta1: trainer.beta1,
  beta2: trainer.beta2,
  clipNorm: trainer.clipNorm,
  threads: trainer.threads,
  recompute: trainer.recompute,
  execution: {
    provider: trainer.execution,
    device: trainer.device,
    precision: trainer.precision,
    activations: trainer.activations,
    offload: trainer.offload === 'host',
  },
  lora: target.lora,
});

/**
 * What the run trains beside the target's weights; undefined where it trains the weights.
 *
 * @throws FuseMeshError invalid_argument where target.lora.targetModules fits no layer
 */
export async function adapterOf({ model, lora }: RunConfig['target']): Promise<AdapterConfig | undefined> {
  if (lora === undefined) return undefined;
  const layers = targetLayers(await readTrainable(model), lora.targetModules);
  const transposed = [...layers.values()].some((layer) => layer.transposed);
  return { ...lora, baseModel: model, transposed };
}

/** 1234567890 → "1.23 GB". */
const gigabytes = (bytes: number): string => `${(bytes / 1e9).toPrecision(3)} GB`;

/** The memory that a training will take, in a line. */
export function memoryLine({ host, device }: MemoryEstimate): string {
  if (!device) return `The training takes about ${gigabytes(host.total)} of memory: ${partsOf(host)}`;
  return (
    `The training takes about ${gigabytes(device.total)} on the GPU: ${partsOf(device)}; and ` +
    `${gigabytes(host.total)} of this machine's memory`
  );
}

const partsOf = ({ state, activations, temporaries, program }: MemoryNeed): string =>
  `${gigabytes(state)} for weights, gradients and optimizer state, ${gigabytes(activations)} for activations, ` +
  `${gigabytes(temporaries)} for values in between, ${gigabytes(program)} for the program`;

/** Bytes that this process may still take. */
export interface FreeMemory {
  readonly host: number;
  /** Undefined where it is not known. */
  readonly device: number | undefined;
}

/** What is free for the training of a run. */
export async function freeMemoryFor({ trainer }: RunConfig): Promise<FreeMemory> {
  const cards = trainer.execution === 'cuda' ? await findGraphicsCards() : { unknown: '' };
  const device = 'unknown' in cards ? undefined : cards[trainer.device]?.memory?.free;
  return { host: process.availableMemory(), device };
}

/**
 * The memory that the training of a run will take, known before anything is loaded.
 *
 * @throws FuseMeshError resource_exhausted where it cannot fit, with the numbers and what makes them smaller
 */
export async function planMemory(config: RunConfig, free: FreeMemory): Promise<MemoryEstimate> {
  const options = engineOptionsOf(config, fusionOf(config));
  const estimate = await estimateMemoryOf(config.target.model, options);
  const { host, device } = estimate;
  const refuse = (available: number, way: string) => {
    throw new FuseMeshError(
      'resource_exhausted',
      `${memoryLine(estimate)}; ${gigabytes(available)} are free${device ? way : ''}: lower trainer.tokensAtOnce or contextLength, set trainer.recompute: true, train adapters (target.lora), or take a larger machine.`,
    );
  };
  if (device && free.device !== undefined && device.total > free.device)
    refuse(free.device, ' on the GPU (trainer.offload: host keeps the state off it)');
  if (host.total > free.host) refuse(free.host, ' on this machine');
  return estimate;
}
