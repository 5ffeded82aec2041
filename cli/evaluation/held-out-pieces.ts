import { join } from 'node:path';
import { Tokenizer } from '../../model/tokenizer/tokenizer.ts';
import type { RunConfig } from '../../process/config/schema.ts';
import { fetchTokenizer } from '../../services/feeder/fetch-tokenizer.ts';
import type { HeldOutPiece } from '../../texts/bits-per-byte.ts';
import { heldOutPieces } from '../../texts/held-out-pieces.ts';

/** The held-out texts of a run, in pieces that fit every model's context. */
export async function heldOutPiecesOfRun(config: RunConfig, signal: AbortSignal): Promise<HeldOutPiece[]> {
  const tokenizers = await Promise.all([
    Tokenizer.fromFile(join(config.target.model, 'tokenizer.json')),
    ...config.teachers.map(({ address, model }) =>
      address.endsWith(':0') && model !== undefined
        ? Tokenizer.fromFile(join(model, 'tokenizer.json'))
        : fetchTokenizer(address, config.security, signal),
    ),
  ]);
  return heldOutPieces(config.heldOut, tokenizers, config.contextLength);
}
