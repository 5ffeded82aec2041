import type { Tokenization } from '../tokenizer/tokenization.ts';

/** What one model says about one text of n tokens, k candidates a row. */
export interface ScoredText {
  readonly tokenization: Tokenization;
  /** [n × k] ids of the k most probable next tokens after tokens 0 … i, by falling probability. */
  readonly candidateIds: Int32Array;
  /** [n × k] their natural log-probabilities. */
  readonly logProbabilities: Float32Array;
  /** [n] natural log-probability of token i after those before it; 0 for a first token that nothing predicts. */
  readonly tokenLogProbabilities: Float32Array;
  /** [n] probability mass that the k candidates hold, 0 to 1. */
  readonly keptMass: Float32Array;
  /** Cross-entropy of the text: sum over predicted tokens, in nats. */
  readonly crossEntropy: number;
  /** How many tokens that sum covers: all that have a token before them. */
  readonly predictedTokens: number;
  /** How many UTF-8 bytes of text those tokens cover. */
  readonly predictedBytes: number;
}
