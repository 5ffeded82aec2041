import type { TokenDistributions } from '../../numbers/token-distributions.ts';
import { predictedBytesOf, type Tokenization } from '../tokenizer/tokenization.ts';

/** What one model says about one text. */
export interface ScoredText extends TokenDistributions {
  /** Tokens that do not spell what stands at their place; nothing can be learnt at their ends. */
  readonly doubtful: number;
}

/** Puts a text's tokens and what a model says of them together; sums are made here, the same way for every backend. */
export function scoredText(
  tokenization: Tokenization,
  columns: Pick<TokenDistributions, 'topK' | 'candidateIds' | 'logProbabilities' | 'tokenLogProbabilities'>,
): ScoredText {
  const { ids, starts, ends, doubtful } = tokenization;
  const { topK, candidateIds, logProbabilities, tokenLogProbabilities } = columns;
  const n = ids.length;
  const keptMass = new Float32Array(n);
  for (let i = 0; i < n; i++) {
    let mass = 0;
    for (let j = 0; j < topK; j++) mass += Math.exp(logProbabilities[i * topK + j]);
    keptMass[i] = Math.min(1, mass);
  }
  let crossEntropy = 0;
  for (const logProbability of tokenLogProbabilities) crossEntropy -= logProbability;
  return {
    topK,
    tokenIds: ids,
    starts,
    ends,
    doubtful,
    candidateIds,
    logProbabilities,
    tokenLogProbabilities,
    keptMass,
    crossEntropy,
    predictedTokens: n - 1,
    predictedBytes: predictedBytesOf(tokenization),
  };
}
