import type { TextDistribution } from '../../wire/codec/text-distribution.ts';

/**
 * The distributions that the same teacher would have sent with fewer candidates. The kept mass is added up from the
 * rounded probabilities of the wire, where the teacher has those before; nothing in the fusion reads it.
 *
 * @param topK candidates of a row; one that has no more is left as it is
 */
export function cutDistribution(distribution: TextDistribution, topK: number): TextDistribution {
  const { topK: recorded, candidateIds, logProbabilities, tokenIds } = distribution;
  if (recorded <= topK) return distribution;
  const n = tokenIds.length;
  const cut = {
    candidateIds: new Int32Array(n * topK),
    logProbabilities: new Float32Array(n * topK),
    keptMass: new Float32Array(n),
  };
  for (let row = 0; row < n; row++) {
    const [from, to] = [row * recorded, row * topK];
    cut.candidateIds.set(candidateIds.subarray(from, from + topK), to);
    const kept = logProbabilities.subarray(from, from + topK);
    cut.logProbabilities.set(kept, to);
    cut.keptMass[row] = Math.min(
      1,
      kept.reduce((sum, logProbability) => sum + Math.exp(logProbability), 0),
    );
  }
  return { ...distribution, ...cut, topK };
}
