import { NOT_MAPPED } from '../align/vocabulary-map.ts';

/** The candidates of one source over one document, as it sent them. */
export interface SourceRows {
  /** k. */
  readonly topK: number;
  /** [n × k] ids in the source's vocabulary. */
  readonly candidateIds: Int32Array;
  /** [n × k] natural log-probabilities. */
  readonly logProbabilities: Float32Array;
  /** [source vocabulary] id in the target's vocabulary, or {@link NOT_MAPPED}. */
  readonly vocabularyMap: Int32Array;
}

/** Columns that take fused distributions of K candidates a row. */
export interface FusedColumns {
  /** K. */
  readonly candidates: number;
  /** [rows × K] ids in the target's vocabulary; 0 where the probability is 0. */
  readonly fusedIds: Int32Array;
  /** [rows × K] probabilities. */
  readonly fusedProbabilities: Float32Array;
}

/**
 * Writes one row of a source into one row of the target, in the target's vocabulary: candidates that the
 * target lacks are dropped, those that become the same token are added up, and the rest is renormalised over
 * the mass that remains. Where nothing remains the row is left as it is (zeros: a masked position).
 *
 * @param row the source's row
 * @param into the columns' row
 * @returns whether the row now holds a distribution
 */
export function fuseRow(source: SourceRows, row: number, columns: FusedColumns, into: number): boolean {
  const { topK, candidateIds, logProbabilities, vocabularyMap } = source;
  const { candidates, fusedIds, fusedProbabilities } = columns;
  const begin = into * candidates;
  const kept = Math.min(topK, candidates);
  let end = begin;
  let mass = 0;
  for (let i = row * topK; i < row * topK + kept; i++) {
    const sourceId = candidateIds[i];
    const id = sourceId < vocabularyMap.length ? vocabularyMap[sourceId] : NOT_MAPPED;
    const probability = Math.exp(logProbabilities[i]);
    if (id === NOT_MAPPED || probability === 0) continue;
    mass += probability;
    let slot = begin;
    while (slot < end && fusedIds[slot] !== id) slot++;
    if (slot === end) {
      fusedIds[end++] = id;
      fusedProbabilities[slot] = probability;
    } else {
      fusedProbabilities[slot] += probability;
    }
  }
  for (let slot = begin; slot < end; slot++) fusedProbabilities[slot] /= mass;
  return end > begin;
}
