import type { Tokenization } from '../../model/tokenizer/tokenization.ts';
import type { FusionSettings } from '../fuse/fusion-settings.ts';
import {
  type AssembledBatch,
  assembleBatch,
  type BatchSizes,
  type DocumentToLearn,
  type LearntDocument,
  type SourceRelation,
} from './assemble-batch.ts';
import type { JoinedDocument } from './joined-document.ts';

/** The target's tokenizer, as far as it is needed. */
export interface TextEncoder {
  encodeBatch(texts: readonly string[]): Promise<Tokenization[]>;
}

/** What a step needs of its batch. */
export interface StepBatch extends AssembledBatch {
  /** Numbers of documents that it takes beside its own, and that nothing can be learnt from. */
  readonly passedOver: readonly number[];
  /** That tokenizing, aligning and fusing its documents took. */
  readonly fusionSeconds: number;
}

/** Which sources a document went on with. */
export interface JoinedSources {
  readonly document: number;
  /** Indices of the sources. */
  readonly present: readonly number[];
}

/** A batch of joined documents. */
export interface FusedBatch extends StepBatch {
  /** The last of its documents that a source teaches; undefined where none is. */
  readonly last: LearntDocument | undefined;
  /** Documents that sources were asked about, learnt from or passed over, in order, with those that took part. */
  readonly joined: readonly JoinedSources[];
  /** When that was done, as performance.now(). */
  readonly fusedAt: number;
}

/** What batches are made of, and how large they are. */
export interface BatchRules extends BatchSizes {
  readonly batchDocuments: number;
  /** Hears of a document that is longer than the context allows. */
  readonly tooLong: (number: number, reason: string) => Promise<void>;
}

/**
 * Makes batches of so many documents each, in order; the last may be shorter. Documents that nothing can be learnt
 * from keep their places, so that the same documents always come into the same batch.
 */
export async function* batchesOf(
  documents: AsyncIterable<JoinedDocument>,
  tokenizer: TextEncoder,
  relations: readonly (SourceRelation | undefined)[],
  settings: FusionSettings,
  rules: BatchRules,
  signal: AbortSignal,
): AsyncGenerator<FusedBatch> {
  let gathered: JoinedDocument[] = [];
  const assemble = async (): Promise<FusedBatch> => {
    const began = performance.now();
    const taken = gathered;
    gathered = [];
    const toLearn = await learnable(taken, tokenizer, rules);
    const learnt = new Set(toLearn.map(({ number }) => number));
    const passedOver = taken.map(({ number }) => number).filter((number) => !learnt.has(number));
    const assembled = assembleBatch(toLearn, relations, settings, rules);
    const fusedAt = performance.now();
    const joined = taken.filter(({ distributions }) => distributions.length > 0).map(joinedSources);
    return { ...assembled, passedOver, joined, fusionSeconds: (fusedAt - began) / 1000, fusedAt };
  };
  for await (const document of documents) {
    gathered.push(document);
    if (gathered.length === rules.batchDocuments) yield await assemble();
  }
  // What had been gathered when the training was stopped is read again by the one that goes on.
  if (gathered.length > 0 && !signal.aborted) yield await assemble();
}

function joinedSources({ number, distributions }: JoinedDocument): JoinedSources {
  const present = distributions.flatMap((distribution, s) => (distribution === undefined ? [] : [s]));
  return { document: number, present };
}

/** Cuts the documents into the target's tokens, but for those that nothing can be learnt from. */
async function learnable(
  documents: readonly JoinedDocument[],
  tokenizer: TextEncoder,
  { contextLength, tooLong }: BatchRules,
): Promise<DocumentToLearn[]> {
  const usable = documents.filter(({ passedOver }) => passedOver === undefined);
  const tokenizations = await tokenizer.encodeBatch(usable.map(({ text }) => text));
  const learnt: DocumentToLearn[] = [];
  for (const [i, { number, text, distributions }] of usable.entries()) {
    const tokenization = tokenizations[i];
    const tokens = tokenization.ids.length;
    if (tokens <= contextLength) learnt.push({ number, text, distributions, tokenization });
    else
      await tooLong(
        number,
        `it has ${tokens} tokens in the target's tokenizer, contextLength is ${contextLength}`,
      );
  }
  return learnt;
}
