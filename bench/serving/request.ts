/** Prompts that are to be continued at the same time. */
export interface Request {
  readonly prompts: readonly string[];
  /** Of each, by greedy search. */
  readonly maxTokens: number;
  /** Of the rival: one after the other without padding, which says what is right. */
  readonly alone?: boolean;
}

export interface Continued {
  /** Wall time until the last has its last token. */
  readonly seconds: number;
  /** Largest resident set of the process so far. */
  readonly peakBytes: number;
  /** New tokens of each prompt, up to the end of text. */
  readonly tokenIds: readonly (readonly number[])[];
}
