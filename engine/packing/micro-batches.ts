import { type PackedTokens, packTokens } from './packed-tokens.ts';
import { rowsOfDocuments } from './rows-of-documents.ts';

/** How many tokens are computed together. */
export interface PackingSizes {
  /** Most slots of a row: no document is longer. */
  readonly contextLength: number;
  /** Most rows. */
  readonly rowsAtOnce: number;
}

/**
 * Divides the documents of a step into parts of about equally many rows, which are computed one after the
 * other; their gradients are summed.
 *
 * @param lengths tokens of each document, contextLength at most
 * @param masked whether masks are made
 */
export function microBatches(
  lengths: readonly number[],
  { contextLength, rowsAtOnce, masked }: PackingSizes & { readonly masked: boolean },
): PackedTokens[] {
  const rows = rowsOfDocuments(lengths, contextLength);
  const parts = Math.ceil(rows.length / rowsAtOnce);
  return Array.from({ length: parts }, (_, part) => {
    const begin = Math.floor((part * rows.length) / parts);
    const end = Math.floor(((part + 1) * rows.length) / parts);
    return packTokens(lengths, rows.slice(begin, end), { masked });
  });
}
