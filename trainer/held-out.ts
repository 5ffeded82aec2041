import type { ContentEncoder } from '../model/chat/content-encoder.ts';
import { learntLoss } from '../model/chat/learnt-loss.ts';
import { bitsPerByteOfDomains } from '../texts/bits-per-byte.ts';
import { heldOutPieces } from '../texts/held-out-pieces.ts';
import type { SkippedRow, TextEntry } from '../texts/read-texts.ts';

/** A model that can be evaluated on texts. */
export interface TextModel {
  /** By text, given as token ids: the cross-entropy of each token after those before it, in nats; 0 for the first. */
  crossEntropies(texts: readonly Int32Array[]): Promise<ArrayLike<number>[]>;
}

/**
 * Reads held-out texts and conversations, and cuts them as the final table of a run does, so that losses during the
 * training compare with it.
 *
 * @param encoders of all models of the run
 * @param options.target that of the model which is evaluated
 * @param options.onSkipped called with what is left out
 * @returns a function that gives a model's loss in each domain, on what is learnt, in bits per byte
 */
export async function openHeldOut(
  entries: readonly TextEntry[],
  encoders: readonly ContentEncoder[],
  {
    target,
    contextLength,
    onSkipped,
  }: {
    readonly target: ContentEncoder;
    readonly contextLength: number;
    readonly onSkipped: (row: SkippedRow) => void;
  },
): Promise<(model: TextModel) => Promise<Record<string, number>>> {
  const readers = encoders.map((encoder) => ({
    name: encoder === target ? 'the target' : 'another model of the run',
    encoder,
  }));
  const pieces = await heldOutPieces(entries, { readers, contextLength }, onSkipped);
  const tokenizations = await target.encodeBatch(pieces.map(({ content }) => content));
  const ids = tokenizations.map((tokenization) => tokenization.ids);
  return async (model) => {
    const crossEntropies = await model.crossEntropies(ids);
    const losses = pieces.map(({ content }, i) => learntLoss(content, tokenizations[i], crossEntropies[i]));
    return Object.fromEntries(bitsPerByteOfDomains(pieces, losses));
  };
}
