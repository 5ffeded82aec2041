import { type ScoredText, scoredText } from '../../model/scoring/scored-text.ts';
import type { Tokenization } from '../../model/tokenizer/tokenization.ts';
import { createRandom } from '../../test/support/random.ts';
import { topK as usualTopK } from './request.ts';

/** How often the first candidate is the token that follows, as models of some billion parameters have it. */
const firstIsRight = 0.5;
/** Elsewhere it stands at any of these ranks, and is no candidate beyond the k. */
const ranks = 14;

/**
 * What a model with this tokenizer might say about texts: real token ids, often the right one, with
 * probabilities that fall from candidate to candidate. What is random comes from the seed.
 */
export function syntheticScores(
  texts: readonly string[],
  tokenizations: readonly Tokenization[],
  topK: number,
  seed: number,
): ScoredText[] {
  const random = createRandom(seed);
  const pool = tokenizations.flatMap(({ ids }) => Array.from(ids));
  const anyId = () => pool[Math.floor(random() * pool.length)];
  return texts.map((_, t) => {
    const tokenization = tokenizations[t];
    const { ids } = tokenization;
    const n = ids.length;
    const candidateIds = new Int32Array(n * topK);
    const logProbabilities = new Float32Array(n * topK);
    const tokenLogProbabilities = new Float32Array(n);
    for (let row = 0; row < n; row++) {
      const begin = row * topK;
      const right = random() < firstIsRight ? 0 : Math.floor(random() * ranks);
      // With more candidates probabilities fall more slowly: all of them matter.
      const falls = (0.3 + 0.4 * random()) ** (usualTopK / topK);
      const keptMass = 0.7 + 0.3 * random();
      const first = (keptMass * (1 - falls)) / (1 - falls ** topK);
      for (let j = 0; j < topK; j++) {
        const before = candidateIds.subarray(begin, begin + j);
        let id = right === j && row + 1 < n ? ids[row + 1] : anyId();
        while (before.includes(id)) id = anyId();
        candidateIds[begin + j] = id;
        logProbabilities[begin + j] = Math.log(first * falls ** j);
      }
      if (row + 1 < n) tokenLogProbabilities[row + 1] = Math.log(first * falls ** right);
    }
    return scoredText(tokenization, { topK, candidateIds, logProbabilities, tokenLogProbabilities });
  });
}
