/**
 * The top-k distributions of one teacher over one document, unpacked: plain columns in typed arrays.
 * n is the number of the teacher's tokens, k the number of candidates a row keeps; row i is the
 * distribution of the token after tokens 0 … i. proto/fusemesh/v1/distribution.proto is the wire form.
 */
export interface TextDistribution {
  /** Number of the document in its run. */
  readonly document: number;
  /** Name of the teacher in its run. */
  readonly teacher: string;
  /** SHA-256 of the teacher's tokenizer.json, 32 bytes. */
  readonly tokenizerFingerprint: Uint8Array;
  /** k. */
  readonly topK: number;
  /** [n] the teacher's tokenization of the text. */
  readonly tokenIds: Int32Array;
  /** [n] where each token begins in the text, in UTF-16 code units. */
  readonly starts: Int32Array;
  /** [n] where each token ends, exclusive, in UTF-16 code units; special tokens have empty spans. */
  readonly ends: Int32Array;
  /** [n × k] candidate ids, each row by falling probability. */
  readonly candidateIds: Int32Array;
  /** [n × k] natural log-probabilities of the candidates. */
  readonly logProbabilities: Float32Array;
  /** [n] natural log-probability of token i after those before it; 0 for a first token that nothing predicts. */
  readonly tokenLogProbabilities: Float32Array;
  /** [n] probability mass that the k candidates of a row hold, 0 to 1. */
  readonly keptMass: Float32Array;
  /** Cross-entropy of the text: sum over predicted tokens, in nats. */
  readonly crossEntropy: number;
  /** How many tokens the cross-entropy covers. */
  readonly predictedTokens: number;
  /** How many UTF-8 bytes of text those tokens cover. */
  readonly predictedBytes: number;
  /** Why the teacher cannot score the document; every column is then empty, and topK 0. */
  readonly refusal?: string | undefined;
}

const noColumns = {
  topK: 0,
  tokenIds: new Int32Array(),
  starts: new Int32Array(),
  ends: new Int32Array(),
  candidateIds: new Int32Array(),
  logProbabilities: new Float32Array(),
  tokenLogProbabilities: new Float32Array(),
  keptMass: new Float32Array(),
  crossEntropy: 0,
  predictedTokens: 0,
  predictedBytes: 0,
};

/** What a teacher says instead of distributions about a document that it cannot score. */
export function refusedDistribution(
  origin: Pick<TextDistribution, 'document' | 'teacher' | 'tokenizerFingerprint'>,
  refusal: string,
): TextDistribution {
  return { ...noColumns, ...origin, refusal };
}
