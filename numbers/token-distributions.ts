/**
 * What a model says about a text of n tokens: plain columns in typed arrays. k is the number of candidates a row keeps;
 * row i is the distribution of the token after tokens 0 … i.
 */
export interface TokenDistributions {
  /** k. */
  readonly topK: number;
  /** [n] the model's tokenization of the text. */
  readonly tokenIds: Int32Array;
  /** [n] where each token begins in the text, in UTF-8 bytes. */
  readonly starts: Int32Array;
  /** [n] where each token ends, exclusive, in UTF-8 bytes; special tokens have empty spans. */
  readonly ends: Int32Array;
  /** [n × k] candidate ids, each row by falling probability. One whose log-probability is −Infinity is none. */
  readonly candidateIds: Int32Array;
  /** [n × k] natural log-probabilities of the candidates. */
  readonly logProbabilities: Float32Array;
  /** [n] natural log-probability of token i after those before it; 0 for a first token that nothing predicts. */
  readonly tokenLogProbabilities: Float32Array;
  /** [n] probability mass that the k candidates of a row hold, 0 to 1. */
  readonly keptMass: Float32Array;
  /** Cross-entropy of the text: sum over predicted tokens, in nats. */
  readonly crossEntropy: number;
  /** How many tokens the cross-entropy covers: all that have a token before them. */
  readonly predictedTokens: number;
  /** How many UTF-8 bytes of text those tokens cover. */
  readonly predictedBytes: number;
}
