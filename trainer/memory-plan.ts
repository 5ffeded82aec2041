import { estimateMemoryOf, type MemoryEstimate } from '../engine/memory-estimate.ts';
import { FuseMeshError } from '../errors/fusemesh-error.ts';
import { fusionOf } from '../fusion/fusion-of-run.ts';
import type { RunConfig } from '../process/config/schema.ts';
import { engineOptionsOf } from './engine-of-run.ts';

/** 1234567890 → "1.23 GB". */
const gigabytes = (bytes: number): string => `${(bytes / 1e9).toPrecision(3)} GB`;

/** What a training will take, in a line. */
export const memoryLine = ({ state, activations, temporaries, program, total }: MemoryEstimate): string =>
  `The training takes about ${gigabytes(total)} of memory: ${gigabytes(state)} for weights, gradients and ` +
  `optimizer state, ${gigabytes(activations)} for activations, ${gigabytes(temporaries)} for values in between, ` +
  `${gigabytes(program)} for the program`;

/**
 * What the training of a run will take, before anything is loaded.
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
