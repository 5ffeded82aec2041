/** Scores of B texts, padded to the longest, T tokens: row b·T + t is of the token after token t of text b. */
export interface PaddedScores {
  readonly length: number;
  /** [B · T × k] */
  readonly candidateIds: Int32Array;
  /** [B · T × k] natural logarithms. */
  readonly logProbabilities: Float32Array;
  /** [B · T] natural log-probability of the token that follows in the text. */
  readonly labelLogProbabilities: Float32Array;
}
