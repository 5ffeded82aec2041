import type { HostTensor } from '../../model/runtime/tensor.ts';
import type { Row } from './rows-of-documents.ts';

/**
 * What is computed together: the tokens of some rows of documents, back to back, and where attention finds them.
 * All but attention works on N tokens; attention on R rows of T slots.
 */
export interface PackedTokens {
  /** N: the tokens of all documents, and where there are empty slots one more, which has no label. */
  readonly tokens: number;
  /** R */
  readonly rows: number;
  /** T: tokens of the fullest row. */
  readonly length: number;
  /** [N] place of each token in the batch; −1 for the token of the empty slots. */
  readonly places: Int32Array<ArrayBuffer>;
  /** [N] position of each token in its document. */
  readonly positions: BigInt64Array<ArrayBuffer>;
  /** [R · T] the token of each slot; empty slots have the last. */
  readonly slotTokens: Int32Array<ArrayBuffer>;
  /** [N] the slot of each token. */
  readonly tokenSlots: Int32Array<ArrayBuffer>;
  /** [R · T] position of the token of each slot in its document. */
  readonly slotPositions: Int32Array<ArrayBuffer>;
  /** [R · T] the slot of its row in which the document of each slot begins. */
  readonly firstSlots: Float32Array<ArrayBuffer>;
  /**
   * [R · T · T] 0 where a slot may attend to another, of its own document and not after it; −∞ elsewhere. Undefined
   * where attention makes its own, part by part, or it is made on a device.
   */
  readonly mask: Float32Array<ArrayBuffer> | undefined;
}

/**
 * @param lengths tokens of each document of the batch
 * @param rows which of them stand in which row
 * @param masked whether a mask is made
 */
export function packTokens(
  lengths: readonly number[],
  rows: readonly Row[],
  { masked }: { readonly masked: boolean },
): PackedTokens {
  const begins = beginsOf(lengths);
  const length = Math.max(...rows.map(({ tokens }) => tokens));
  const slots = rows.length * length;
  const real = rows.reduce((sum, { tokens }) => sum + tokens, 0);
  const tokens = real < slots ? real + 1 : real;
  const places = new Int32Array(tokens).fill(-1);
  const positions = new BigInt64Array(tokens);
  const slotTokens = new Int32Array(slots).fill(tokens - 1);
  const tokenSlots = new Int32Array(tokens);
  const slotPositions = new Int32Array(slots);
  const firstSlots = new Float32Array(slots);
  const mask = masked ? new Float32Array(slots * length).fill(Number.NEGATIVE_INFINITY) : undefined;

  let token = 0;
  for (const [row, { documents, tokens: filled }] of rows.entries()) {
    let slot = row * length;
    for (const document of documents) {
      const first = slot - row * length;
      for (let position = 0; position < lengths[document]; position++, token++, slot++) {
        places[token] = begins[document] + position;
        positions[token] = BigInt(position);
        slotTokens[slot] = token;
        tokenSlots[token] = slot;
        slotPositions[slot] = position;
        firstSlots[slot] = first;
        mask?.fill(0, slot * length + first, slot * length + first + position + 1);
      }
    }
    // An empty slot attends to itself alone, for a softmax over nothing is NaN.
    for (let column = filled; column < length; column++) {
      const empty = row * length + column;
      firstSlots[empty] = column;
      if (mask) mask[empty * length + column] = 0;
      tokenSlots[tokens - 1] = empty;
    }
  }
  return {
    tokens,
    rows: rows.length,
    length,
    places,
    positions,
    slotTokens,
    tokenSlots,
    slotPositions,
    firstSlots,
    mask,
  };
}

/**
 * What the graphs of embeddings and blocks take of the tokens.
 *
 * @param inputIds of the batch
 * @param inParts whether attention is computed in parts, which takes the positions of slots as int64
 */
export function tokenFeeds(
  { tokens, rows, length, places, positions, slotTokens, tokenSlots, slotPositions, mask }: PackedTokens,
  inputIds: Int32Array,
  { inParts }: { readonly inParts: boolean },
): Readonly<Record<string, HostTensor>> {
  const ids = new Int32Array(tokens);
  for (let token = 0; token < tokens; token++) ids[token] = places[token] < 0 ? 0 : inputIds[places[token]];
  const positionsOfSlots = inParts
    ? { data: BigInt64Array.from(slotPositions, BigInt) }
    : { data: slotPositions };
  return {
    input_ids: { data: ids, shape: [tokens, 1] },
    position_ids: { data: positions, shape: [tokens, 1] },
    slot_tokens: { data: slotTokens, shape: [rows * length] },
    token_slots: { data: tokenSlots, shape: [tokens] },
    slot_positions: { ...positionsOfSlots, shape: [rows, length] },
    ...(mask && { mask: { data: mask, shape: [rows, 1, 1, length, length] } }),
  };
}

/** Where each document begins in the batch. */
function beginsOf(lengths: readonly number[]): Int32Array {
  const begins = new Int32Array(lengths.length);
  for (let i = 1; i < lengths.length; i++) begins[i] = begins[i - 1] + lengths[i - 1];
  return begins;
}
