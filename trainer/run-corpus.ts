import type { FusedBatch } from '../fusion/batch/batches.ts';
import type { ContentEncoder } from '../model/chat/content-encoder.ts';
import type { Arrivals } from './intake/read/read-documents.ts';
import type { Stretch } from './passes.ts';

/** What a run is trained on: what its teachers send, or a recording of it. */
export interface RunCorpus {
  /** Waits until it is known; undefined when stopped before. */
  describe(): Promise<CorpusOfRun | undefined>;
  /**
   * To be called once, after {@link describe}.
   *
   * @param stretches in the order in which they are taken
   * @param firstStep the step that trains on the first batch
   * @param arrivals hears of every part of a document that comes
   * @returns undefined when stopped before there are enough sources
   */
  batches(
    stretches: readonly Stretch[],
    firstStep: number,
    arrivals?: Arrivals,
  ): Promise<RunBatches | undefined>;
  /** The run is over, with all its steps taken and checkpointed. */
  over(): Promise<void>;
  close(): Promise<void>;
}

export interface CorpusOfRun {
  /** How many there are. */
  readonly documents: number;
  /** Over all of them in their order, in hexadecimal. */
  readonly sha256: string;
}

/** Batches of a run. */
export interface RunBatches {
  /** In order; fewer when it is aborted. */
  readonly batches: AsyncGenerator<FusedBatch>;
  /** Of the sources whose tokenizers were known when it began. */
  readonly encoders: readonly ContentEncoder[];
  /** Puts on disk what a training needs that resumes from here: to be called before the checkpoint is. */
  keep(): Promise<void>;
  /** A checkpoint covers so many documents, counted over all passes. */
  cover(documents: number): Promise<void>;
  close(): Promise<void>;
}
