import { join } from 'node:path';
import type { RunConfig } from '../../mesh/config/schema.ts';
import { Tokenizer } from '../../model/tokenizer/tokenizer.ts';
import { fetchTokenizer } from '../../services/corpus/fetch-tokenizer.ts';
import { readTexts } from '../../services/corpus/read-texts.ts';
import { splitText } from '../../services/corpus/split-text.ts';
import type { HeldOutPiece } from './bits-per-byte.ts';

/** The held-out texts of a run, cut as the corpus is: into pieces that fit every model's context. */
export async function heldOutPieces(config: RunConfig, signal: AbortSignal): Promise<HeldOutPiece[]> {
  const tokenizers = await Promise.all([
    Tokenizer.fromFile(join(config.target.model, 'tokenizer.json')),
    ...config.teachers.map(({ address, model }) =>
      address.endsWith(':0') && model !== undefined
        ? Tokenizer.fromFile(join(model, 'tokenizer.json'))
        : fetchTokenizer(address, signal),
    ),
  ]);
  const pieces: HeldOutPiece[] = [];
  for await (const { domain, text } of readTexts(config.heldOut)) {
    for (const piece of await splitText(text, tokenizers, config.contextLength)) {
      pieces.push({ domain, text: piece });
    }
  }
  return pieces;
}
