import type { Tensor } from '../runtime/tensor.ts';
import type { GenerationModel } from './generation-graph.ts';
import type { Sequence } from './sequence.ts';

export type CacheNames = Pick<GenerationModel, 'keys' | 'values'>;

/** A run of the model with the tensors of the cache. */
export type RunWithCache = (feeds: Record<string, Tensor>, into: Record<string, Tensor>) => Promise<void>;

/**
 * Where the keys and values of a model's sequences lie. Sequences have rows; this and the graph's form of attention are
 * all that differs between a cache that they share and caches of their own.
 */
export interface SequenceCache {
  /** Most rows that one run reads. */
  readonly rowsAtOnce: number;
  readonly bytes: number;
  /**
   * Makes room for sequences, which keep their rows.
   *
   * @param sequences by row
   * @param available most bytes, where that is more than they need
   */
  fit(sequences: readonly Sequence[], available: number): void;
  /** Copies what a row has of a sequence to another. */
  move(sequence: Sequence, from: number, to: number): void;
  /** Forgets a sequence. */
  remove(sequence: Sequence): void;
  /**
   * Runs the model on more tokens of the sequences of rows that follow each other; their lengths grow when it has run.
   *
   * @param first row of the first of them
   * @param tokens of each
   */
  extend(sequences: readonly Sequence[], first: number, tokens: number, run: RunWithCache): Promise<void>;
}
