import type { TextDistribution } from '../../mesh/codec/text-distribution.ts';
import { type Alignment, says } from '../align/alignment.ts';
import type { SourceVocabulary } from '../align/source-vocabulary.ts';
import { NOT_MAPPED } from '../align/vocabulary-map.ts';
import { addTo, type SparseRow } from './sparse-row.ts';

/** Where the source's mass went, summed over positions, in units of probability. */
export interface MassCount {
  /** To tokens of the same text. */
  exact: number;
  /** To tokens that a rule chose. */
  byRule: number;
  /** To none. */
  dropped: number;
}

/** What one source says about one text, and how it goes with the target's tokens. */
export interface AlignedSource {
  readonly distribution: Pick<TextDistribution, 'topK' | 'tokenIds' | 'candidateIds' | 'logProbabilities'>;
  readonly alignment: Alignment;
  readonly vocabulary: SourceVocabulary;
}

/**
 * What a source says at one position, in the target's vocabulary: mass that comes to the same token adds up.
 * Where its next token is only the beginning of the target's, the whole token gets the chained probability, and
 * what could be read as mass of shorter tokens is dropped: of numbers cut by digits, "2" says nothing about the
 * target's own "2".
 *
 * @param label the target's next token
 * @param row emptied and filled
 */
export function readSourceRow(
  { distribution, alignment, vocabulary }: AlignedSource,
  position: number,
  label: number,
  temperature: number,
  row: SparseRow,
  mass: MassCount,
): void {
  row.count = 0;
  const kind = alignment.kinds[position];
  if (kind === says.nothing) return;
  const { topK, candidateIds, logProbabilities, tokenIds } = distribution;
  const { ids, exact, beginsLonger } = vocabulary;
  const sourceRow = alignment.rows[position];
  const splits = kind !== says.candidates;
  const next = tokenIds[sourceRow + 1];
  const rescale = temperature === 1 ? 1 : keptMassRatio(logProbabilities, sourceRow, topK, temperature);

  if (kind === says.chained) {
    const probability = rescale * Math.exp(alignment.chainedLogProbabilities[position] / temperature);
    addTo(row, label, probability);
    mass.exact += probability;
  }
  for (let i = sourceRow * topK; i < (sourceRow + 1) * topK; i++) {
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
}

/** What keeps the candidates' mass as it was when each is raised to the power of 1 / temperature. */
function keptMassRatio(
  logProbabilities: Float32Array,
  row: number,
  topK: number,
  temperature: number,
): number {
  let [before, after] = [0, 0];
  for (let i = row * topK; i < (row + 1) * topK; i++) {
    before += Math.exp(logProbabilities[i]);
    after += Math.exp(logProbabilities[i] / temperature);
  }
  return before / after;
}
