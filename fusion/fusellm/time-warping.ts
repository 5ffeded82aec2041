import { NOT_ALIGNED } from '../align/boundary.ts';
import { type MatchCosts, TokenDistances } from './token-distances.ts';
import type { TokenStrings } from './token-strings.ts';

/**
 * Aligns tokenizations as FuseLLM does (arXiv 2401.10491, `dtw` of its code): by the path of least cost
 * through the table of source and target tokens, where each step advances by one token in the source, in the
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
  const room = createRoom();
  return (targetIds, sourceIds) => onlyMatches(distances.between(targetIds, sourceIds), room);
}

/**
 * Finds the path of least cost from the first cell to the last; among steps of equal cost it is traced back
 * in both, else in the source, else in the target.
 *
 * The table of m · n cells need not be filled. The cost of any path is an upper bound U of the least one:
 * {@link costAlongText}. And behind every cell at least the cost R is still to come that the cheapest matches
 * of all later tokens of one side add up to. A cell whose own cost plus R is above U may be taken as
 * unreachable, and the path found is still the same:
 *   1. A path of least cost goes through no such cell: it would cost more than U.
 *   2. Where cells are taken as unreachable, no other cell's cost falls. And a cell on a path of least cost
 *      keeps its right cost: the cheapest cells from which a step leads to it are on such paths too, so that
 *      none of them was left out, nor, by induction, any on the way to them.
 *   3. The path is traced back from the last cell, always to a cheapest predecessor. By 2 all of these have
 *      their right cost, and the others one that is higher: neither the choice nor its ties change.
 *
 * @param room memory to use again
 * @returns [n] the only source of each target on the path, or {@link NOT_ALIGNED}
 */
export function onlyMatches(costs: MatchCosts, room = createRoom()): Int32Array<ArrayBuffer> {
  const sources = costs.sourceKinds.length;
  const targets = costs.targetKinds.length;
  const only = new Int32Array(targets).fill(NOT_ALIGNED);
  if (sources === 0 || targets === 0) return only;
  const costAt = fillTable(costs, costAlongText(costs), room);

  let target = targets - 1;
  let source = sources - 1;
  let matches = 1;
  while (source > 0 || target > 0) {
    const inBoth = costAt(source - 1, target - 1);
    const inSource = costAt(source - 1, target);
    const inTarget = costAt(source, target - 1);
    if (inSource < inBoth && inSource <= inTarget) {
      matches++;
      source--;
      continue;
    }
    if (matches === 1) only[target] = source;
    matches = 1;
    target--;
    if (inBoth <= inTarget) source--;
  }
  if (matches === 1) only[target] = source;
  return only;
}

/** Memory for a table, kept from text to text: allocating it takes longer than filling it. */
interface Room {
  cells: Int32Array<ArrayBuffer>;
}

const createRoom = (): Room => ({ cells: new Int32Array(0) });

/** Cost of a cell to which no step leads; more than any path, and twice that still fits into 32 bits. */
const unreachable = 1 << 29;

/**
 * Cost of the path that advances, step by step, in the side that has read less of the text. It is near the
 * least cost where both sides read the same text, and a path in any case.
 */
function costAlongText(costs: MatchCosts): number {
  const { sourceKinds, targetKinds, sourceLengths, targetLengths } = costs;
  let source = 0;
  let target = 0;
  // How far the source is ahead of the target, in units of length.
  let ahead = sourceLengths[sourceKinds[0]] - targetLengths[targetKinds[0]];
  let cost = costs.workOut(sourceKinds[0], targetKinds[0]);
  while (source + 1 < sourceKinds.length || target + 1 < targetKinds.length) {
    const sourceLeft = source + 1 < sourceKinds.length;
    const targetLeft = target + 1 < targetKinds.length;
    const sourceLength = sourceLeft ? sourceLengths[sourceKinds[source + 1]] : 0;
    const targetLength = targetLeft ? targetLengths[targetKinds[target + 1]] : 0;
    // Where both have read the same, a token without text (bare spaces) advances alone, unless both have one.
    const inSource = ahead < 0 || (ahead === 0 && (sourceLength === 0 || targetLength > 0));
    const inTarget = ahead > 0 || (ahead === 0 && (targetLength === 0 || sourceLength > 0));
    if (sourceLeft && (inSource || !targetLeft)) {
      source++;
      ahead += sourceLength;
    }
    if (targetLeft && (inTarget || !sourceLeft)) {
      target++;
      ahead -= targetLength;
    }
    cost += costs.workOut(sourceKinds[source], targetKinds[target]);
  }
  return cost;
}

/**
 * Fills the table of least costs row by row (a row is a source token), from the first reached cell of the row
 * above to where no step leads on.
 *
 * @param limit cells through which a path would cost more are left out
 * @returns cost of a cell; {@link unreachable} where it is left out, and outside of the table
 */
function fillTable(costs: MatchCosts, limit: number, room: Room): (source: number, target: number) => number {
  const { sourceKinds, targetKinds, kindsOfTargets, known } = costs;
  const sources = sourceKinds.length;
  const targets = targetKinds.length;
  const rowLimits = limitsBefore(limit, sourceKinds, costs.sourceFloors);
  const columnLimits = limitsBefore(limit, targetKinds, costs.targetFloors);

  let table = room.cells;
  // Of each row, where its cells are and what is to be added to a column to find it in the table.
  const begins = new Int32Array(sources);
  const ends = new Int32Array(sources);
  const shifts = new Int32Array(sources);
  let used = 0;
  let first = 0;

  for (let source = 0; source < sources; source++) {
    const begin = first;
    const mostUsed = used + targets - begin;
    if (mostUsed > table.length) {
      table = enlarged(table, mostUsed);
      room.cells = table;
    }
    const shift = used - begin;
    const above = source === 0 ? 0 : shifts[source - 1];
    const endAbove = source === 0 ? 0 : ends[source - 1];
    const sourceKind = sourceKinds[source];
    const costsOfRow = sourceKind * kindsOfTargets;
    const rowLimit = rowLimits[source];

    // Left of the first reached cell above there is none, but the path's own beginning.
    let diagonal = source === 0 ? 0 : unreachable;
    let left = unreachable;
    let target = begin;
    for (; target < endAbove; target++) {
      const up = table[above + target];
      const before = smaller(smaller(diagonal, up), left);
      const targetKind = targetKinds[target];
      let match = known[costsOfRow + targetKind];
      if (match === -1) match = costs.workOut(sourceKind, targetKind);
      const cost = before + match;
      left = cost > rowLimit || cost > columnLimits[target] ? unreachable : cost;
      table[shift + target] = left;
      diagonal = up;
    }
    // Beyond the row above, steps lead on from the left alone, and to the first cell from the diagonal.
    for (; target < targets && (left < unreachable || diagonal < unreachable); target++) {
      const targetKind = targetKinds[target];
      let match = known[costsOfRow + targetKind];
      if (match === -1) match = costs.workOut(sourceKind, targetKind);
      const cost = Math.min(diagonal, left) + match;
      left = cost > rowLimit || cost > columnLimits[target] ? unreachable : cost;
      table[shift + target] = left;
      diagonal = unreachable;
    }

    let end = target;
    while (end > begin && table[shift + end - 1] === unreachable) end--;
    first = begin;
    while (first < end && table[shift + first] === unreachable) first++;
    begins[source] = begin;
    ends[source] = end;
    shifts[source] = shift;
    used = shift + end;
  }
  return (source, target) =>
    source < 0 || target < begins[source] || target >= ends[source]
      ? unreachable
      : table[shifts[source] + target];
}

/**
 * What a path may have cost at each token of one side, so that with the least costs of all later tokens it
 * does not cost more than the limit.
 *
 * @param floors by kind, the least cost of a match
 */
function limitsBefore(limit: number, kinds: Int32Array, floors: Int32Array): Int32Array {
  const limits = new Int32Array(kinds.length);
  let left = limit;
  for (let i = kinds.length - 1; i >= 0; i--) {
    limits[i] = left;
    left -= floors[kinds[i]];
  }
  return limits;
}

/** The smaller of two numbers whose difference fits into 32 bits; without a branch, as none can be foretold. */
function smaller(a: number, b: number): number {
  const difference = a - b;
  return b + (difference & (difference >> 31));
}

/** The same values with room for twice as many as are needed. */
function enlarged(values: Int32Array<ArrayBuffer>, needed: number): Int32Array<ArrayBuffer> {
  const larger = new Int32Array(2 * needed);
  larger.set(values);
  return larger;
}
