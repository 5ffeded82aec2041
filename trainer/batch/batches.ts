import type { Tokenization } from '../../model/tokenizer/tokenization.ts';
import type { FusionSettings } from '../fuse/fusion-settings.ts';
import type { JoinedDocument } from '../stream/join-documents.ts';
import {
  type AssembledBatch,
  assembleBatch,
  type BatchSizes,
  type LearntDocument,
  type SourceRelation,
} from './assemble-batch.ts';

/** The target's tokenizer, as far as it is needed. */
export interface TextEncoder {
  encodeBatch(texts: readonly string[]): Promise<Tokenization[]>;
}

/** What a step needs of its batch. */
export interface StepBatch extends AssembledBatch {
  /** That tokenizing, aligning and fusing its documents took. */
  readonly fusionSeconds: number;
}

/** A batch of joined documents. */
export interface FusedBatch extends StepBatch {
  /** The last of its documents that a source teaches; undefined where none is. */
  readonly last: LearntDocument | undefined;
  /** When that was done, as performance.now(). */
  readonly fusedAt: number;
}

/** Makes batches of so many documents each, in order; the last may be shorter. */
export async function* batchesOf(
  documents: AsyncIterable<JoinedDocument>,
  tokenizer: TextEncoder,
  relations: readonly (SourceRelation | undefined)[],
  settings: FusionSettings,
  sizes: BatchSizes & { readonly batchDocuments: number },
  signal: AbortSignal,
): AsyncGenerator<FusedBatch> {
  let gathered: JoinedDocument[] = [];
  const assemble = async (): Promise<FusedBatch> => {
    const began = performance.now();
    const tokenizations = await tokenizer.encodeBatch(gathered.map(({ text }) => text));
    const toLearn = gathered.map(({ number, text, distributions }, i) => ({
      ...{ number, text, distributions },
      tokenization: tokenizations[i],
    }));
    gathered = [];
    const assembled = assembleBatch(toLearn, relations, settings, sizes);
    const fusedAt = performance.now();
    return { ...assembled, fusionSeconds: (fusedAt - began) / 1000, fusedAt };
  };
  for await (const document of documents) {
    gathered.push(document);
    if (gathered.length === sizes.batchDocuments) yield await assemble();
  }
  // What had been gathered when the training was stopped is read again by the one that goes on.
  if (gathered.length > 0 && !signal.aborted) yield await assemble();
}
