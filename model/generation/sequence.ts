import type { Sampling } from './sampling.ts';

/** A text that is to be continued. */
export interface NewSequence {
  readonly id: number;
  /** One token at least. */
  readonly prompt: Int32Array;
  readonly sampling: Sampling;
  /** As in a GenerationRequest. */
  readonly logProbabilities: number | undefined;
  /** Most tokens that it can have with its prompt: its cache has room for so many. */
  readonly most: number;
}

/** A text in hand. */
export interface Sequence extends Omit<NewSequence, 'sampling'> {
  /** Chooses the next token. @param logits [vocabulary] */
  choose(logits: Float32Array): number;
  /** Tokens in the cache. */
  length: number;
  /** The token that is to be read next, where the prompt has been read. */
  next: number;
}
