import type { HeldOutPiece } from './bits-per-byte.ts';
import { type CutSettings, cutContent } from './cut-content.ts';
import { readTexts, type SkippedRow, type TextEntry } from './read-texts.ts';

/**
 * Held-out texts and conversations, cut like a corpus into pieces that fit into the context with every encoder.
 *
 * @param onSkipped called with what is left out
 * @throws FuseMeshError not_found for a missing path, invalid_argument for a file that is not text
 */
export async function heldOutPieces(
  entries: readonly TextEntry[],
  settings: CutSettings,
  onSkipped: (row: SkippedRow) => void,
): Promise<HeldOutPiece[]> {
  const held: HeldOutPiece[] = [];
  for (const entry of entries) {
    for await (const { domain, ...text } of readTexts([entry], { onSkipped })) {
      const { pieces, skipped } = await cutContent(text, settings, entry.invalid);
      for (const row of skipped) onSkipped(row);
      for (const { content } of pieces) held.push({ domain, content });
    }
  }
  return held;
}
