export interface Request {
  /** Token ids of each text. */
  readonly texts: readonly (readonly number[])[];
  /** Candidates a token. */
  readonly k: number;
}

export interface Scored {
  /** Wall time of the scoring alone. */
  readonly seconds: number;
  /** Largest resident set of the process so far. */
  readonly peakBytes: number;
  /** [tokens × k], text after text, each row by falling probability. */
  readonly candidateIds: readonly number[];
  /** [tokens × k] in nats. */
  readonly logProbabilities: readonly number[];
  /** [tokens − texts] log-probabilities of the next token, in nats. */
  readonly labelLogProbabilities: readonly number[];
}
