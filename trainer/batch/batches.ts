import type { Tokenization } from '../../model/tokenizer/tokenization.ts';
import type { FusionSettings } from '../fuse/fusion-settings.ts';
import type { JoinedDocument } from '../stream/join-documents.ts';
import {
  type AssembledBatch,
  assembleBatch,
  type BatchSizes,
  type SourceRelation,
} from './assemble-batch.ts';

/** The target's tokenizer, as far as it is needed. */
export interface TextEncoder {
  encodeBatch(texts: readonly string[]): Promise<Tokenization[]>;
}

/** Makes batches of so many documents each, in order; the last may be shorter. */
export async function* batchesOf(
  documents: AsyncIterable<JoinedDocument>,
  tokenizer: TextEncoder,
  relations: readonly SourceRelation[],
  settings: FusionSettings,
  sizes: BatchSizes & { readonly batchDocuments: number },
  signal: AbortSignal,
): AsyncGenerator<AssembledBatch> {
  let gathered: JoinedDocument[] = [];
  const assemble = async () => {
    const tokenizations = await tokenizer.encodeBatch(gathered.map(({ text }) => text));
    const toLearn = gathered.map(({ number, distributions }, i) => ({
      number,
      tokenization: tokenizations[i],
      distributions,
    }));
    gathered = [];
    return assembleBatch(toLearn, relations, settings, sizes);
  };
  for await (const document of documents) {
    gathered.push(document);
    if (gathered.length === sizes.batchDocuments) yield await assemble();
  }
  // What had been gathered when the training was stopped is read again by the one that goes on.
  if (gathered.length > 0 && !signal.aborted) yield await assemble();
}
