import type { TextDistribution } from './text-distribution.ts';

const nothing = {
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
  return { ...nothing, ...origin, refusal };
}
