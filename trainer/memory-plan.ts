import { FuseMeshError } from '../errors/fusemesh-error.ts';
import type { MemoryEstimate } from './engine/memory-estimate.ts';

/** 1234567890 → "1.23 GB". */
const gigabytes = (bytes: number): string => `${(bytes / 1e9).toPrecision(3)} GB`;

/** What a training will take, in a line. */
export const memoryLine = ({ state, activations, temporaries, program, total }: MemoryEstimate): string =>
  `about ${gigabytes(total)} of memory: ${gigabytes(state)} for weights, gradients and optimizer state, ` +
  `${gigabytes(activations)} for activations, ${gigabytes(temporaries)} for values in between, ` +
  `${gigabytes(program)} for the program`;

/**
 * Refuses a training that cannot fit, before it takes hours to find out.
 *
 * @param available bytes that this process may still take
 * @throws FuseMeshError resource_exhausted, with the numbers and what makes them smaller
 */
export function refuseWhatCannotFit(estimate: MemoryEstimate, available: number): void {
  if (estimate.total <= available) return;
  throw new FuseMeshError(
    'resource_exhausted',
    `The training needs ${memoryLine(estimate)}; ${gigabytes(available)} are free: lower trainer.tokensAtOnce or contextLength, set trainer.recompute: true, train adapters (target.lora), or take a larger machine.`,
  );
}
