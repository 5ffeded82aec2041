/** How much is said of a token. */
export interface Sizes {
  /** Candidates; left out, 10. */
  readonly topK?: number;
  /** Share of their probability that is sent; left out, 0.98. */
  readonly topP?: number;
}

/** The first request to each process of the benchmark: the texts of the documents. */
export interface Texts extends Sizes {
  /** Document d has text d modulo their number. */
  readonly texts: readonly string[];
}

/** A run in which a process is to do its part. */
export interface Run extends Sizes {
  readonly url: string;
  readonly run: string;
  readonly documents: number;
}

/** A teacher's part of a run. */
export interface Teaching extends Run {
  /** The teacher's name in the run: that of its tokenizer. */
  readonly teacher: string;
  /** How fast it shall score; left out, as fast as it can publish. */
  readonly tokensPerSecond?: number;
}

/** A training on what the trainer has in memory. */
export interface Recorded {
  /** How many documents. */
  readonly recorded: number;
}

/** What a process took for its part. */
export interface Taken {
  /** From the request to the end, by the wall clock. */
  readonly seconds: number;
  /** Processor time of all threads of the process. */
  readonly processorSeconds: number;
  /** A teacher's own, or the target's. */
  readonly tokens: number;
  /** Of distributions: that a teacher published, or that the trainer received. */
  readonly bytes: number;
}

export const topK = 10;
export const topP = 0.98;
/** Documents of one batch of a teacher. */
export const teacherBatchDocuments = 8;
