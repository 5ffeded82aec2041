import type { Content } from '../../model/chat/conversation.ts';
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
import {
  type JoinedDocument,
  presentSources,
  type UnusableDocument,
  type UsableDocument,
} from './joined-document.ts';
import { type RolloutRules, rolloutProblem } from './rollout-problem.ts';

/** How the target reads contents, as far as it is needed. */
export interface TargetEncoder {
  encodeBatch(contents: readonly Content[]): Promise<Tokenization[]>;
}

/** What a step needs of its batch. */
export interface StepBatch extends AssembledBatch {
  /** Numbers of the documents of this step that nothing can be learnt from. */
  readonly passedOver: readonly number[];
  /** How many of them the target wrote. */
  readonly droppedRollouts: number;
  /** Seconds that tokenizing, aligning and fusing its documents took. */
  readonly fusionSeconds: number;
}

/** Which sources a document was joined with. */
export interface JoinedSources {
  readonly document: number;
  /** Indices of the sources. */
  readonly present: readonly number[];
}

/** A batch of joined documents. */
export interface FusedBatch extends StepBatch {
  /** The last of its documents that a source teaches; undefined where no document is. */
  readonly last: LearntDocument | undefined;
  /** By document that sources were asked about, learnt from or passed over, in order: the sources that took part. */
  readonly joined: readonly JoinedSources[];
  /** When its fusion was done, as performance.now(). */
  readonly fusedAt: number;
}

/** How batches are made of documents, and how large they are. */
export interface BatchRules<Usable extends UsableDocument> extends BatchSizes {
  readonly batchDocuments: number;
  /** The target's. */
  readonly encoder: TargetEncoder;
  /** How each source relates to the target; undefined while its tokenizer is unknown. Called for every batch. */
  readonly relations: () => readonly (SourceRelation | undefined)[];
  readonly settings: FusionSettings;
  /**
   * Which documents that the target wrote the first batch may hold; each further one is of the next step. Left out,
   * nothing bounds the age of their weights.
   */
  readonly rollouts?: RolloutRules | undefined;
  /** Called for a document that is longer than the context, or that the target wrote and no step may train on. */
  readonly passOver: (document: Usable, reason: string) => Promise<void>;
  readonly signal: AbortSignal;
}

/**
 * Makes batches of so many documents each, in order; the last may be shorter. Documents that nothing can be learnt
 * from count too, so that the same documents always come into the same batch.
 */
export async function* batchesOf<Usable extends UsableDocument>(
  documents: AsyncIterable<JoinedDocument<Usable>>,
  rules: BatchRules<Usable>,
): AsyncGenerator<FusedBatch> {
  let gathered: JoinedDocument<Usable>[] = [];
  let batches = 0;
  const assemble = async (): Promise<FusedBatch> => {
    const began = performance.now();
    const { rollouts } = rules;
    const ofStep = rollouts && { ...rollouts, step: rollouts.step + batches };
    const taken = await cutIntoTokens(await withoutUntrainable(gathered, ofStep, rules), rules);
    gathered = [];
    batches++;
    const toLearn = taken.filter((document) => document.unusable === undefined);
    const passedOver = taken.filter((document) => document.unusable !== undefined);
    const assembled = assembleBatch(toLearn, rules.relations(), rules.settings, rules);
    const fusedAt = performance.now();
    return {
      ...assembled,
      passedOver: passedOver.map(({ number }) => number),
      droppedRollouts: passedOver.filter(({ rollout }) => rollout !== undefined).length,
      joined: taken.flatMap(joinedSources),
      fusionSeconds: (fusedAt - began) / 1000,
      fusedAt,
    };
  };
  for await (const document of documents) {
    gathered.push(document);
    if (gathered.length === rules.batchDocuments) yield await assemble();
  }
  // When the training is stopped, what is gathered is left: the resumed training reads it again.
  if (gathered.length > 0 && !rules.signal.aborted) yield await assemble();
}

/** The documents; one that the target wrote and that the step must not train on cannot be used. */
async function withoutUntrainable<Usable extends UsableDocument>(
  documents: readonly JoinedDocument<Usable>[],
  rollouts: RolloutRules | undefined,
  { settings, passOver }: BatchRules<Usable>,
): Promise<JoinedDocument<Usable>[]> {
  const checked: JoinedDocument<Usable>[] = [];
  for (const document of documents) {
    const unusable =
      document.unusable === undefined ? rolloutProblem(document, rollouts, settings) : undefined;
    if (document.unusable !== undefined || unusable === undefined) {
      checked.push(document);
      continue;
    }
    await passOver(document, unusable);
    const { number, distributions, rollout } = document;
    checked.push({ number, unusable, present: presentSources(distributions), rollout });
  }
  return checked;
}

/** The documents in the target's tokens; one that is longer than the context cannot be used. */
async function cutIntoTokens<Usable extends UsableDocument>(
  documents: readonly JoinedDocument<Usable>[],
  { encoder, contextLength, passOver }: BatchRules<Usable>,
): Promise<(DocumentToLearn | UnusableDocument)[]> {
  const usable = documents.filter((document): document is Usable => document.unusable === undefined);
  const tokenizations = await encoder.encodeBatch(usable.map(({ content }) => content));
  const cut: (DocumentToLearn | UnusableDocument)[] = [];
  let next = 0;
  for (const document of documents) {
    if (document.unusable !== undefined) {
      cut.push(document);
      continue;
    }
    const tokenization = tokenizations[next++];
    const { number, content, distributions, rollout } = document;
    const tokens = tokenization.ids.length;
    if (tokens <= contextLength) {
      cut.push({ number, content, distributions, rollout, tokenization });
      continue;
    }
    const unusable = `it has ${tokens} tokens in the target's tokenizer, contextLength is ${contextLength}`;
    await passOver(document, unusable);
    cut.push({ number, unusable, present: presentSources(distributions), rollout });
  }
  return cut;
}

function joinedSources(document: DocumentToLearn | UnusableDocument): JoinedSources[] {
  const { number } = document;
  const present = document.unusable === undefined ? presentSources(document.distributions) : document.present;
  return present === undefined ? [] : [{ document: number, present }];
}
