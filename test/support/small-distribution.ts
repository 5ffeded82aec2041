import { distributionToBytes } from '../../wire/codec/distribution-bytes.ts';
import type { TextDistribution } from '../../wire/codec/text-distribution.ts';

/** SHA-256 of the tokenizer that {@link smallDistribution} names where nothing else is said. */
export const smallFingerprint = new Uint8Array(32).fill(7);

/** The message of a distribution over two tokens, by the teacher "orator" of document 0 where nothing else is said. */
export function smallDistribution(changes: Partial<TextDistribution>): Uint8Array {
  const distribution: TextDistribution = {
    document: 0,
    teacher: 'orator',
    tokenizerFingerprint: smallFingerprint,
    topK: 1,
    tokenIds: Int32Array.of(3, 4),
    starts: Int32Array.of(0, 2),
    ends: Int32Array.of(2, 6),
    candidateIds: Int32Array.of(4, 5),
    logProbabilities: Float32Array.of(-1, -2),
    tokenLogProbabilities: Float32Array.of(0, -1),
    keptMass: Float32Array.of(0.5, 0.25),
    crossEntropy: 1,
    predictedTokens: 1,
    predictedBytes: 4,
    ...changes,
  };
  return distributionToBytes(distribution, 100);
}
