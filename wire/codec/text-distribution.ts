import type { TokenDistributions } from '../../numbers/token-distributions.ts';

/**
 * What one teacher says about one document. proto/fusemesh/v1/distribution.proto is the wire form.
 */
export interface TextDistribution extends TokenDistributions {
  /** Number of the document in its run. */
  readonly document: number;
  /** Name of the teacher in its run. */
  readonly teacher: string;
  /** SHA-256 of the teacher's tokenizer.json, 32 bytes. */
  readonly tokenizerFingerprint: Uint8Array;
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
