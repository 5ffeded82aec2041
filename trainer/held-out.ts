import { predictedBytesOf } from '../model/tokenizer/tokenization.ts';
import type { Tokenizer } from '../model/tokenizer/tokenizer.ts';
import { bitsPerByteOfDomains } from '../texts/bits-per-byte.ts';
import { heldOutPieces } from '../texts/held-out-pieces.ts';
import type { TextEntry } from '../texts/read-texts.ts';

/** A model that can be evaluated on texts. */
export interface TextModel {
  /** By text, given as token ids: the cross-entropy summed over all tokens but the first, in nats. */
  crossEntropies(texts: readonly Int32Array[]): Promise<number[]>;
}

/**
 * Reads held-out texts and cuts them as the final table of a run does, so that losses during the training compare with it.
 *
 * @param tokenizers of all models of the run
 * @param target the tokenizer of the model that is evaluated
 * @returns a function that gives a model's loss in each domain, in bits per byte
 */
export async function openHeldOut(
  entries: readonly TextEntry[],
  tokenizers: readonly Tokenizer[],
  { target, contextLength }: { readonly target: Tokenizer; readonly contextLength: number },
): Promise<(model: TextModel) => Promise<Record<string, number>>> {
  const pieces = await heldOutPieces(entries, tokenizers, contextLength);
  const tokenizations = await target.encodeBatch(pieces.map(({ text }) => text));
  const ids = tokenizations.map((tokenization) => tokenization.ids);
  const predictedBytes = tokenizations.map(predictedBytesOf);
  return async (model) => {
    const crossEntropies = await model.crossEntropies(ids);
    const losses = crossEntropies.map((crossEntropy, i) => ({
      crossEntropy,
      predictedBytes: predictedBytes[i],
    }));
    return Object.fromEntries(bitsPerByteOfDomains(pieces, losses));
  };
}
