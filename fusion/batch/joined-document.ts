import type { TextDistribution } from '../../wire/codec/text-distribution.ts';

/** A document with what the sources say about it. */
export interface JoinedDocument {
  readonly number: number;
  readonly text: string;
  /** In the order of the sources; undefined of one that it went on without. */
  readonly distributions: readonly (TextDistribution | undefined)[];
  /** Why nothing can be learnt from it. There are then no distributions, or some that say so. */
  readonly passedOver?: string | undefined;
}
