import type { Content } from '../../model/chat/conversation.ts';
import type { TextDistribution } from '../../wire/codec/text-distribution.ts';
import type { Rollout } from '../../wire/generated/fusemesh/v1/corpus_pb.ts';

/** A document that its sources' distributions have been joined to, or the reason why nothing can be learnt from it. */
export type JoinedDocument<Usable extends UsableDocument = UsableDocument> = Usable | UnusableDocument;

/** A document with what the sources say about it. */
export interface UsableDocument {
  /** In the run: 0, 1, 2, … */
  readonly number: number;
  readonly content: Content;
  /** In the order of the sources; undefined of one that it was joined without. */
  readonly distributions: readonly (TextDistribution | undefined)[];
  /** How the target wrote the last turn; undefined of a document of the corpus. */
  readonly rollout?: Rollout | undefined;
  readonly unusable?: undefined;
}

/** A document that keeps its number, and that nothing can be learnt from. */
export interface UnusableDocument {
  readonly number: number;
  /** Why. */
  readonly unusable: string;
  /** Indices of the sources that it was joined with; undefined where no source was asked about it. */
  readonly present: readonly number[] | undefined;
  /** As {@link UsableDocument}'s, where it could be read. */
  readonly rollout?: Rollout | undefined;
}

/** Indices of the sources whose distributions have been joined to a document. */
export const presentSources = (distributions: UsableDocument['distributions']): number[] =>
  distributions.flatMap((distribution, source) => (distribution === undefined ? [] : [source]));
