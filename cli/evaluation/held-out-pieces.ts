import type { RunConfig } from '../../process/config/schema.ts';
import { tokenizersOfRun } from '../../services/feeder/tokenizers-of-run.ts';
import type { HeldOutPiece } from '../../texts/bits-per-byte.ts';
import { heldOutPieces } from '../../texts/held-out-pieces.ts';

/** The held-out texts of a run, in pieces that fit every model's context. */
export async function heldOutPiecesOfRun(config: RunConfig, signal: AbortSignal): Promise<HeldOutPiece[]> {
  return heldOutPieces(config.heldOut, await tokenizersOfRun(config, signal), config.contextLength);
}
