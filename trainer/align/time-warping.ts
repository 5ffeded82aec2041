import { NOT_ALIGNED } from './boundary.ts';
import { type MatchCosts, TokenDistances } from './token-distances.ts';
import type { TokenStrings } from './token-strings.ts';

/**
 * Aligns tokenizations as FuseLLM does (arXiv 2401.10491, `dtw` of its code): by the path of least cost
 * through the table of source and target tokens, where each step goes on by one token in the source, in the
 * target or in both, and each cell costs the edit distance of its tokens' strings without space marks.
 *
 * @returns what aligns target ids [n] with source ids [m]: [n] the only source token that each target token
 * is matched with, or {@link NOT_ALIGNED} where it is matched with several
 */
export function createTimeWarping(
  target: TokenStrings,
  source: TokenStrings,
): (targetIds: Int32Array, sourceIds: Int32Array) => Int32Array<ArrayBuffer> {
  const distances = new TokenDistances(target, source);
  return (targetIds, sourceIds) => onlyMatches(distances.between(targetIds, sourceIds));
}

/**
 * Finds the path of least cost from the first cell to the last; among steps of equal cost it goes back in
 * both, else in the source, else in the target.
 *
 * The table of m · n cells need not be filled. The cost of any path is an upper bound U of the least one; it
 * comes from a first pass that looks only near the cheapest cell of each row. Then cells of cost above U may
 * be taken as unreachable, and the path found is still the same:
 *   1. Costs are not negative, so no cell is cheaper than the cheapest cell from which a step leads to it. If
 *      a cell costs U at most, so does that predecessor; so by induction over rows and columns every cell of
 *      cost ≤ U gets its right cost, and every other one a cost above U.
 *   2. The way back begins at the last cell, which costs U at most, and goes from each cell to the cheapest
 *      of its predecessors, which again costs U at most. A predecessor that costs more than U is not it, nor
 *      does it tie with it. So each step is decided as in the full table.
 *
 * @returns [n] the only source of each target on the path, or {@link NOT_ALIGNED}
 */
export function onlyMatches(costs: MatchCosts): Int32Array<ArrayBuffer> {
  const only = new Int32Array(costs.targets).fill(NOT_ALIGNED);
  if (costs.sources === 0 || costs.targets === 0) return only;
  const upperBound = fillTable(costs, unreachable - 1, beam).cost;
  const { stepAt } = fillTable(costs, upperBound, costs.targets);

  let target = costs.targets - 1;
  let source = costs.sources - 1;
  let matches = 1;
  while (source > 0 || target > 0) {
    const step = stepAt(source, target);
    if (step === steps.source) {
      matches++;
      source--;
      continue;
    }
    if (matches === 1) only[target] = source;
    matches = 1;
    target--;
    if (step === steps.both) source--;
  }
  if (matches === 1) only[target] = source;
  return only;
}

/** How a path comes to a cell, in the order in which equals are preferred. */
const steps = { both: 0, source: 1, target: 2 } as const;

/** Cost of a cell to which no step leads; more than any path, and twice that still fits into 32 bits. */
const unreachable = 1 << 29;

/** Targets to each side of a row's cheapest cell that the first pass looks at. */
const beam = 16;

/** The table of least costs, as far as it is needed. */
interface FilledTable {
  /** Of the last cell. */
  readonly cost: number;
  /** How the path comes to a cell that was reached: one of {@link steps}. */
  stepAt(source: number, target: number): number;
}

/**
 * Fills the table row by row (a row is a source token), from the first reached cell of the row above to
 * where no step leads on.
 *
 * @param limit cells of greater cost count as unreachable
 * @param width how far from the cheapest cell of the row above a row goes to each side
 */
function fillTable(costs: MatchCosts, limit: number, width: number): FilledTable {
  const { sources, targets } = costs;
  let above = new Int32Array(targets);
  let row = new Int32Array(targets);
  let first = 0;
  let end = 0;
  let cheapest = 0;

  let taken = new Uint8Array(4 * (sources + targets));
  let used = 0;
  /** What is to be added to a column to find its step. */
  const shifts = new Int32Array(sources);

  for (let source = 0; source < sources; source++) {
    const begin = Math.max(first, cheapest - width);
    const stop = source === sources - 1 ? targets : Math.min(targets, cheapest + width + 2);
    if (used + stop - begin > taken.length) taken = enlarged(taken, used + stop - begin);
    const shift = used - begin;
    shifts[source] = shift;

    let diagonal = begin > first ? above[begin - 1] : unreachable;
    if (source === 0) diagonal = 0;
    let left = unreachable;
    let least = unreachable;
    let newFirst = stop;
    let newEnd = stop;
    let target = begin;
    for (; target < stop; target++) {
      const up = target < end ? above[target] : unreachable;
      let before = diagonal;
      let step: number = steps.both;
      if (up < before) {
        before = up;
        step = steps.source;
      }
      if (left < before) {
        before = left;
        step = steps.target;
      }
      diagonal = up;
      if (before === unreachable && target > end) break;

      let cost = before + costs.atLeast(source, target);
      if (cost <= limit) cost = before + costs.of(source, target);
      if (cost > limit) cost = unreachable;
      else {
        if (newFirst === stop) newFirst = target;
        newEnd = target + 1;
        if (cost <= least) {
          least = cost;
          cheapest = target;
        }
      }
      row[target] = cost;
      left = cost;
      taken[shift + target] = step;
    }
    used = shift + target;
    first = newFirst;
    end = newEnd;
    [above, row] = [row, above];
  }
  return { cost: above[targets - 1], stepAt: (source, target) => taken[shifts[source] + target] };
}

/** The same bytes with room for twice as many as are needed. */
function enlarged(bytes: Uint8Array<ArrayBuffer>, needed: number): Uint8Array<ArrayBuffer> {
  const larger = new Uint8Array(2 * needed);
  larger.set(bytes);
  return larger;
}
