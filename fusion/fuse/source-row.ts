import type { TextDistribution } from '../../wire/codec/text-distribution.ts';
import { type Alignment, says } from '../align/alignment.ts';
import { NOT_MAPPED } from '../vocabulary/exact-map.ts';
import type { SourceVocabulary } from '../vocabulary/source-vocabulary.ts';
import { addTo, type SparseRow } from './sparse-row.ts';

/** What became of the sources' probability mass, summed over positions. */
export interface MassCount {
  /** Went to tokens of the same text. */
  exact: number;
  /** Went to tokens that a rule chose. */
  byRule: number;
  /** Went to no token. */
  dropped: number;
}

/**
 * Reads what a source says at a position of the target into an emptied row, in the target's vocabulary.
 *
 * @param label the target's next token
 * @param mass added to
 */
export type ReadRow = (position: number, label: number, row: SparseRow, mass: MassCount) => void;

/** What is needed of a source's distributions. */
export type SourceColumns = Pick<TextDistribution, 'topK' | 'tokenIds' | 'candidateIds' | 'logProbabilities'>;

/**
 * Rows of a source that was aligned by character boundaries. Mass that comes to the same token adds up. Where
 * the source's next token is only the beginning of the target's, the whole token gets the chained probability,
 * and what could be read as mass of shorter tokens is dropped: of numbers cut by digits, "2" says nothing about
 * the target's own "2".
 *
 * @param temperature flattens the candidates above 1 and sharpens them below; their mass stays
 */
export function rowsByBoundary(
  { topK, candidateIds, logProbabilities, tokenIds }: SourceColumns,
  { kinds, rows, chainedLogProbabilities }: Alignment,
  { ids, exact, beginsLonger }: SourceVocabulary,
  temperature: number,
): ReadRow {
  return (position, label, row, mass) => {
    row.count = 0;
    const kind = kinds[position];
    if (kind === says.nothing) return;
    const begin = rows[position] * topK;
    const splits = kind !== says.candidates;
    const next = tokenIds[rows[position] + 1];
    const rescale = temperature === 1 ? 1 : keptMassRatio(logProbabilities, begin, begin + topK, temperature);

    if (kind === says.chained) {
      const probability = rescale * Math.exp(chainedLogProbabilities[position] / temperature);
      addTo(row, label, probability);
      mass.exact += probability;
    }
    for (let i = begin; i < begin + topK; i++) {
      const sourceId = candidateIds[i];
      const probability = rescale * Math.exp(logProbabilities[i] / temperature);
      const id = sourceId < ids.length ? ids[sourceId] : NOT_MAPPED;
      if (id === NOT_MAPPED || (splits && (sourceId === next || beginsLonger[sourceId] === 1))) {
        mass.dropped += probability;
      } else if (probability > 0) {
        addTo(row, id, probability);
        if (exact[sourceId] === 1) mass.exact += probability;
        else mass.byRule += probability;
      }
    }
  };
}

/** What keeps the candidates' mass as it was when each is raised to the power of 1 / temperature. */
function keptMassRatio(
  logProbabilities: Float32Array,
  begin: number,
  end: number,
  temperature: number,
): number {
  let [before, after] = [0, 0];
  for (let i = begin; i < end; i++) {
    before += Math.exp(logProbabilities[i]);
    after += Math.exp(logProbabilities[i] / temperature);
  }
  return before / after;
}
