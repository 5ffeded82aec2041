import type { Tokenization } from '../../model/tokenizer/tokenization.ts';
import type { TextDistribution } from '../../wire/codec/text-distribution.ts';
import { NOT_ALIGNED } from '../align/boundary.ts';
import type { AlignedSource } from '../fuse/fuse-document.ts';
import type { MassCount } from '../fuse/source-row.ts';
import { addTo } from '../fuse/sparse-row.ts';
import { NOT_MAPPED } from '../vocabulary/exact-map.ts';
import type { SourceVocabulary } from '../vocabulary/source-vocabulary.ts';
import { createSameToken, fusellmRows } from './fusellm-rows.ts';
import { createTimeWarping } from './time-warping.ts';
import type { TokenStrings } from './token-strings.ts';

/**
 * Rows of a source that is aligned as FuseLLM does it (fusellm-rows.ts). Special tokens in front of a text,
 * which FuseLLM leaves out, have none.
 *
 * @param temperature flattens the candidates above 1 and sharpens them below
 */
export function rowsByTimeWarping(
  target: TokenStrings,
  source: TokenStrings,
  vocabulary: SourceVocabulary,
  temperature: number,
): (tokenization: Tokenization, distribution: TextDistribution) => AlignedSource {
  const warp = createTimeWarping(target, source);
  const isSame = createSameToken(target, source, vocabulary.ids);
  return (tokenization, distribution) => {
    const before = specialTokensInFront(tokenization.ends);
    const beforeSource = specialTokensInFront(distribution.ends);
    const { topK } = distribution;
    const ids = tokenization.ids.subarray(before);
    const steps = {
      topK,
      tokenIds: distribution.tokenIds.subarray(beforeSource),
      candidateIds: distribution.candidateIds.subarray(beforeSource * topK),
      logProbabilities: distribution.logProbabilities.subarray(beforeSource * topK),
    };
    const aligned = warp(ids, steps.tokenIds);
    const sparse = fusellmRows(ids, steps, aligned, vocabulary.ids, isSame, temperature);

    const rows = new Int32Array(tokenization.ids.length).fill(NOT_ALIGNED);
    for (const [position, row] of aligned.entries())
      if (row !== NOT_ALIGNED) rows[before + position] = row + beforeSource;
    return {
      rows,
      read: (position, _label, row, mass) => {
        row.count = 0;
        const own = position - before;
        if (own < 0) return;
        const begin = own * sparse.candidates;
        for (let i = begin; i < begin + sparse.counts[own]; i++)
          addTo(row, sparse.ids[i], sparse.probabilities[i]);
        if (rows[position] !== NOT_ALIGNED) countMass(distribution, rows[position], vocabulary, mass);
      },
    };
  };
}

/** How many tokens stand before the text. */
function specialTokensInFront(ends: Int32Array): number {
  const first = ends.findIndex((end) => end > 0);
  return first === -1 ? ends.length : first;
}

function countMass(
  { topK, candidateIds, logProbabilities }: TextDistribution,
  row: number,
  { ids, exact }: SourceVocabulary,
  mass: MassCount,
): void {
  for (let i = row * topK; i < (row + 1) * topK; i++) {
    const probability = Math.exp(logProbabilities[i]);
    if ((ids[candidateIds[i]] ?? NOT_MAPPED) === NOT_MAPPED) mass.dropped += probability;
    else if (exact[candidateIds[i]] === 1) mass.exact += probability;
    else mass.byRule += probability;
  }
}
