import type { ScoredText } from '../../model/scoring/scored-text.ts';
import type { TextDistribution } from '../../wire/codec/text-distribution.ts';

/** What a teacher says about a document, as it goes over the wire. */
export function scoredDistribution(
  scored: ScoredText,
  origin: {
    readonly document: number;
    readonly teacher: string;
    readonly tokenizerFingerprint: Uint8Array;
    readonly topK: number;
  },
): TextDistribution {
  return {
    ...origin,
    tokenIds: scored.tokenization.ids,
    starts: scored.tokenization.starts,
    ends: scored.tokenization.ends,
    candidateIds: scored.candidateIds,
    logProbabilities: scored.logProbabilities,
    tokenLogProbabilities: scored.tokenLogProbabilities,
    keptMass: scored.keptMass,
    crossEntropy: scored.crossEntropy,
    predictedTokens: scored.predictedTokens,
    predictedBytes: scored.predictedBytes,
  };
}
