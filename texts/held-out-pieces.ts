import type { Tokenizer } from '../model/tokenizer/tokenizer.ts';
import type { HeldOutPiece } from './bits-per-byte.ts';
import { readTexts, type TextEntry } from './read-texts.ts';
import { splitText } from './split-text.ts';

/**
 * Held-out texts, cut like a corpus into pieces that fit into the context with every tokenizer.
 *
 * @param contextLength in tokens
 * @throws FuseMeshError not_found for a missing path, invalid_argument for a file that is not text
 */
export async function heldOutPieces(
  entries: readonly TextEntry[],
  tokenizers: readonly Tokenizer[],
  contextLength: number,
): Promise<HeldOutPiece[]> {
  const pieces: HeldOutPiece[] = [];
  for await (const { domain, text } of readTexts(entries)) {
    for (const piece of await splitText(text, tokenizers, contextLength)) {
      pieces.push({ domain, text: piece });
    }
  }
  return pieces;
}
