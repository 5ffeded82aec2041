import type { Architecture } from '../families/architecture.ts';
import type { ExecutionProvider } from '../runtime/placement.ts';

type Sizes = Pick<Architecture, 'keyValueSizes' | 'contextLength'>;

const smallest = 64;

/** For how many tokens there is room where so many are needed: powers of two, so that caches move a few times only. */
export function capacityOf(tokens: number, contextLength: number): number {
  const doublings = Math.max(0, Math.ceil(Math.log2(tokens / smallest)));
  return Math.min(contextLength, smallest * 2 ** doublings);
}

/** For how many sequences there is room where there are so many. */
export const rowsOf = (sequences: number): number =>
  sequences === 0 ? 0 : 2 ** Math.ceil(Math.log2(sequences));

/** Of the keys and values of one token, in float32. */
export const bytesOfToken = ({
  keyValueSizes: { layers, keyValueHeads, headSize },
}: Pick<Sizes, 'keyValueSizes'>): number => 2 * 4 * layers * keyValueHeads * headSize;

/**
 * Whether all sequences of a model share one cache, and a run reads a token of each: where ONNX Runtime's
 * GroupQueryAttention computes in float32, which is on the processor, for heads of whole vectors of eight. Elsewhere each
 * sequence has a cache and runs of its own.
 */
export const sharesCache = (
  { keyValueSizes: { headSize } }: Sizes,
  provider: ExecutionProvider = 'cpu',
): boolean => provider === 'cpu' && headSize % 8 === 0;

/**
 * Most bytes that the caches of one model take.
 *
 * @param most the most tokens of each sequence
 */
export function bytesOfCaches(sizes: Sizes, shared: boolean, most: readonly number[]): number {
  const capacities = most.map((tokens) => capacityOf(tokens, sizes.contextLength));
  const largest = Math.max(0, ...capacities);
  // Those of their own are written from one room into another: one of each capacity is spare.
  const tokens = shared
    ? rowsOf(most.length) * largest
    : capacities.reduce((sum, capacity) => sum + capacity, 2 * largest);
  return tokens * bytesOfToken(sizes);
}
