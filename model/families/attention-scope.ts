import { greaterOrEqual, permuteRows, reshape, where } from '../graph/expressions.ts';
import { Value } from '../graph/graph.ts';
import type { AttentionParts } from '../graph/signatures.ts';
import type { AttentionScope } from './architecture.ts';

/** How large the parts are in which attention is computed. */
export type SizesOfParts = Omit<AttentionParts, 'packed'>;

/**
 * Measured at 256 to 4,096 tokens, scores of 4 to 16 MB are the fastest: more leave the processor's cache, fewer make
 * small products, which cost more than they spare. Of these, the least memory.
 */
export const fastestParts: SizesOfParts = { scoreBytes: 4 * 2 ** 20, fewestQueries: 32 };

/**
 * Up to here a head's scores of a row take a megabyte at most: all of them stand in memory together, and are kept for
 * the backward pass, which need not compute them again.
 */
const longestWhole = 512;

/**
 * On a GPU: products large enough to fill it. A few parts of a fixed number stand in the graph, where there is no kernel
 * for a loop.
 */
const partsOnDevice = (contextLength: number): SizesOfParts => ({
  scoreBytes: 256 * 2 ** 20,
  fewestQueries: 256,
  count: Math.ceil(contextLength / longestWhole),
});

/** How large the parts are in a context; undefined where attention is computed as a whole. */
export function partsOfAttention(contextLength: number, { onDevice = false } = {}): SizesOfParts | undefined {
  if (contextLength <= longestWhole) return undefined;
  return onDevice ? partsOnDevice(contextLength) : fastestParts;
}

/**
 * Each row of the batch by itself: a token attends to the keys up to its own position.
 *
 * @param positions int64 [batch, length] of the tokens
 * @param keyPositions int64 [batch, keys]; left out, the keys are those of the tokens
 * @param parts how large the parts are where attention is to be computed in parts; keys must be those of the tokens
 */
export function rowScope(
  positions: Value,
  {
    keyPositions = positions,
    extend,
    parts,
  }: {
    readonly keyPositions?: Value;
    readonly extend?: AttentionScope['extend'];
    readonly parts?: SizesOfParts | undefined;
  } = {},
): AttentionScope {
  const [batch, length] = positions.shape;
  return {
    queryPositions: positions,
    keyPositions,
    mask: parts ? { ...parts, packed: false } : causalMask(positions, keyPositions),
    inRows: (x) => reshape(x, [batch, length, x.shape.at(-1)!]),
    ofTokens: (x) => x,
    extend,
  };
}

/** 0 where a query may attend to a key, −∞ where the key has a later position. */
function causalMask(positions: Value, keyPositions: Value): Value {
  const [batch, length] = positions.shape;
  const ofQueries = reshape(positions, [batch, 1, 1, length, 1]);
  const ofKeys = reshape(keyPositions, [batch, 1, 1, 1, keyPositions.shape[1]]);
  return where(greaterOrEqual(ofQueries, ofKeys), 0, Number.NEGATIVE_INFINITY);
}

/** How tokens that are packed without padding are placed into rows for attention. Each token has one slot. */
export interface PackedRows {
  /** int32 [rows · length]: the token of each slot; an empty slot names a token without a label. */
  readonly slotTokens: Value;
  /** int32 [tokens]: the slot of each token. */
  readonly tokenSlots: Value;
  /** int64 [rows, length]: position of the token of each slot. */
  readonly positions: Value;
  /**
   * float32 [rows, 1, 1, length, length]: 0 where a slot may attend to another, −∞ elsewhere. Or how large the parts
   * are where attention is to be computed in parts.
   */
  readonly mask: Value | SizesOfParts;
}

/**
 * Texts of any lengths without padding between them: all but attention works on the tokens alone, attention on
 * rows into which they are put, several texts in a row.
 */
export function packedScope({ slotTokens, tokenSlots, positions, mask }: PackedRows): AttentionScope {
  return {
    queryPositions: positions,
    keyPositions: positions,
    mask: mask instanceof Value ? mask : { ...mask, packed: true },
    inRows: (x) => reshape(permuteRows(x, slotTokens, tokenSlots), [...positions.shape, x.shape.at(-1)!]),
    ofTokens: (x) => permuteRows(x, tokenSlots, slotTokens),
  };
}
