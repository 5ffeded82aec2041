import { NOT_ALIGNED } from '../align/boundary.ts';
import { NOT_MAPPED } from '../vocabulary/exact-map.ts';
import { idsOfStrings } from './minimum-edit-distance.ts';
import { respell, respelledStrings, type TokenStrings } from './token-strings.ts';

/** Whether a token of the source is, once mapped, the target's token at a position. */
export type IsSameToken = (position: number, targetId: number, sourceId: number) => boolean;

/**
 * When FuseLLM takes two matched tokens for the same: where the source's is mapped to the target's. A source
 * of GPT-2's kind writes no space before the first word of a text; where the target does, the source's first
 * token counts as if it had one.
 *
 * @param vocabularyMap [source vocabulary] of minimumEditDistanceMap (FuseLLM's "soft" mode), or of equal strings ("hard")
 */
export function createSameToken(
  target: TokenStrings,
  source: TokenStrings,
  vocabularyMap: Int32Array,
): IsSameToken {
  const isMapped: IsSameToken = (_, targetId, sourceId) => vocabularyMap[sourceId] === targetId;
  if (source.spaceMark !== 'Ġ') return isMapped;
  const mark = target.spaceMark;
  const sourceIdOf = idsOfStrings(respelledStrings(source, mark));
  return (position, targetId, sourceId) => {
    if (position > 0) return isMapped(position, targetId, sourceId);
    const targetString = target.tokenString(targetId) ?? '';
    const sourceString = respell(source.tokenString(sourceId) ?? '', source.spaceMark, mark);
    if (!targetString.startsWith(mark) || sourceString.startsWith(mark)) {
      return isMapped(position, targetId, sourceId);
    }
    const marked = mark + sourceString;
    const markedId = sourceIdOf.get(marked);
    return targetString === marked || (markedId !== undefined && vocabularyMap[markedId] === targetId);
  };
}

/** What a source says of a text, in its own vocabulary. */
export interface SourceSteps {
  /** k. */
  readonly topK: number;
  /** [m] tokens of the text. */
  readonly tokenIds: Int32Array;
  /** [m × k] candidates for the token that follows each; likeliest first. */
  readonly candidateIds: Int32Array;
  /** [m × k] their log-probabilities or logits, in nats: a constant a row more makes no difference. */
  readonly logProbabilities: Float32Array;
}

/** Distributions over a target's vocabulary, of at most k tokens each. */
export interface SparseRows {
  /** k. */
  readonly candidates: number;
  /** [n] how many tokens each has; 0 where FuseLLM takes the target's own distribution. */
  readonly counts: Int32Array;
  /** [n × k] ids; 0 beyond the count. */
  readonly ids: Int32Array;
  /** [n × k] probabilities, which sum to 1 over a row that has any; 0 beyond the count. */
  readonly probabilities: Float32Array;
}

/**
 * Rewrites a source's steps as steps of the target, rule by rule as FuseLLM does (`transform_step_logits` of
 * its code, and the softmax of its data collator):
 *   - Where a target token is matched with one source token only, and that is the same token, the source's
 *     candidates are taken. They are mapped; of those that become one token the first is kept, and those that
 *     become none are dropped. A softmax goes over what is kept, which may be nothing.
 *   - Everywhere else the position gets its own token with probability 1. But a position's distribution
 *     speaks of the token after it, so this teaches the model to repeat itself: an off-by-one of FuseLLM
 *     (issue 27 there) that is kept here on purpose, to equal it.
 *
 * @param targetIds [n] the target's tokens of the text
 * @param aligned [n] the only source token of each target token, or {@link NOT_ALIGNED}: time-warping.ts
 * @param vocabularyMap [source vocabulary] id in the target's vocabulary, or {@link NOT_MAPPED}
 * @param temperature divides the logarithms before the softmax; FuseLLM takes 1
 */
export function fusellmRows(
  targetIds: Int32Array,
  source: SourceSteps,
  aligned: Int32Array,
  vocabularyMap: Int32Array,
  isSame: IsSameToken,
  temperature: number,
): SparseRows {
  const { topK, tokenIds } = source;
  const candidates = Math.max(topK, 1);
  const rows: SparseRows = {
    candidates,
    counts: new Int32Array(targetIds.length),
    ids: new Int32Array(targetIds.length * candidates),
    probabilities: new Float32Array(targetIds.length * candidates),
  };
  for (let position = 0; position < targetIds.length; position++) {
    const step = aligned[position];
    if (step !== NOT_ALIGNED && isSame(position, targetIds[position], tokenIds[step])) {
      keepFirstOfEach(source, step, vocabularyMap, rows, position);
      softmax(rows, position, temperature);
    } else {
      rows.counts[position] = 1;
      rows.ids[position * candidates] = targetIds[position];
      rows.probabilities[position * candidates] = 1;
    }
  }
  return rows;
}

/** Writes the mapped candidates of a step into a row, with their logarithms for probabilities. */
function keepFirstOfEach(
  source: SourceSteps,
  step: number,
  vocabularyMap: Int32Array,
  rows: SparseRows,
  position: number,
): void {
  const { topK, candidateIds, logProbabilities } = source;
  const { counts, ids, probabilities } = rows;
  const begin = position * rows.candidates;
  let end = begin;
  for (let i = step * topK; i < (step + 1) * topK; i++) {
    // A model's output may be wider than its vocabulary.
    const id = candidateIds[i] < vocabularyMap.length ? vocabularyMap[candidateIds[i]] : NOT_MAPPED;
    if (id === NOT_MAPPED) continue;
    let slot = begin;
    while (slot < end && ids[slot] !== id) slot++;
    if (slot < end) continue;
    ids[end] = id;
    probabilities[end++] = logProbabilities[i];
  }
  counts[position] = end - begin;
}

/** Turns a row's logarithms into probabilities. */
function softmax(
  { candidates, counts, probabilities }: SparseRows,
  position: number,
  temperature: number,
): void {
  const begin = position * candidates;
  const end = begin + counts[position];
  let largest = Number.NEGATIVE_INFINITY;
  for (let i = begin; i < end; i++) largest = Math.max(largest, probabilities[i]);
  let mass = 0;
  for (let i = begin; i < end; i++) mass += Math.exp((probabilities[i] - largest) / temperature);
  for (let i = begin; i < end; i++) {
    probabilities[i] = Math.exp((probabilities[i] - largest) / temperature) / mass;
  }
}
