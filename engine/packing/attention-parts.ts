import { fastestParts, type SizesOfParts } from '../../model/families/attention-scope.ts';

/**
 * Up to here a head's scores of a row take a megabyte at most: all of them stand in memory together, and are kept for
 * the backward pass, which need not compute them again.
 */
const longestWhole = 512;

/** How large the parts of attention are in rows of a length; undefined where attention is computed as a whole. */
export const partsOfAttention = (contextLength: number): SizesOfParts | undefined =>
  contextLength > longestWhole ? fastestParts : undefined;
