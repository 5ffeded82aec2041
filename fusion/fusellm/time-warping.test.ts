import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { plainEditDistance } from '../../test/support/plain-edit-distance.ts';
import { NOT_ALIGNED } from '../align/boundary.ts';
import { createTimeWarping, onlyMatches } from './time-warping.ts';
import type { MatchCosts } from './token-distances.ts';
import type { TokenStrings } from './token-strings.ts';

type CostOf = (source: number, target: number) => number;

/** The whole table, and the way back through it. */
function onlyMatchesOfFullTable(sources: number, targets: number, of: CostOf): number[] {
  const table: number[][] = [];
  const at = (i: number, j: number) => (i < 0 || j < 0 ? Number.POSITIVE_INFINITY : table[i][j]);
  for (let i = 0; i < sources; i++) {
    table.push([]);
    for (let j = 0; j < targets; j++) {
      const before = i === 0 && j === 0 ? 0 : Math.min(at(i - 1, j - 1), at(i - 1, j), at(i, j - 1));
      table[i][j] = before + of(i, j);
    }
  }
  const matches: number[][] = Array.from({ length: targets }, () => []);
  let [i, j] = [sources - 1, targets - 1];
  while (i > 0 || j > 0) {
    matches[j].push(i);
    const options = [at(i - 1, j - 1), at(i - 1, j), at(i, j - 1)];
    const step = options.indexOf(Math.min(...options));
    if (step !== 2) i--;
    if (step !== 1) j--;
  }
  matches[0].push(0);
  return matches.map((sourcesOf) => (sourcesOf.length === 1 ? sourcesOf[0] : NOT_ALIGNED));
}

/** Every token is of a kind of its own. */
function onlyMatchesOf(sources: number, targets: number, of: CostOf): number[] {
  const numbers = (count: number) => Int32Array.from({ length: count }, (_, i) => i);
  const costs: MatchCosts = {
    sourceKinds: numbers(sources),
    targetKinds: numbers(targets),
    kindsOfTargets: targets,
    known: new Int32Array(sources * targets).fill(-1),
    // The lengths say nothing here: any path will do.
    sourceLengths: numbers(sources).map((i) => (i * 3) % 4),
    targetLengths: numbers(targets).map((j) => (j * 5) % 3),
    sourceFloors: numbers(sources).map((i) => Math.min(...numbers(targets).map((j) => of(i, j)))),
    targetFloors: numbers(targets).map((j) => Math.min(...numbers(sources).map((i) => of(i, j)))),
    workOut: of,
  };
  return [...onlyMatches(costs)];
}

const tables = (maxLength: number, maxCost: number) =>
  fc
    .tuple(fc.integer({ min: 1, max: maxLength }), fc.integer({ min: 1, max: maxLength }))
    .chain(([sources, targets]) =>
      fc.array(fc.array(fc.nat({ max: maxCost }), { minLength: targets, maxLength: targets }), {
        minLength: sources,
        maxLength: sources,
      }),
    );

/** Tokens with a lot in common: one for each string, the mark in front of some. */
function vocabulary(strings: readonly string[], spaceMark: string): TokenStrings {
  return { vocabularySize: strings.length, spaceMark, tokenString: (id) => strings[id] };
}

const pieces = ['a', 'b', 'ab', 'ba', 'abb', 'aab', 'bbbb', ''];
const target = vocabulary([...pieces, ...pieces.map((piece) => `▁${piece}`)], '▁');
const source = vocabulary([...pieces, ...pieces.map((piece) => `Ġ${piece}`)], 'Ġ');
const ids = fc
  .array(fc.nat({ max: 2 * pieces.length - 1 }), { maxLength: 70 })
  .map((list) => Int32Array.from(list));

describe('onlyMatches', () => {
  it.each([
    [8, 1],
    [12, 3],
    [60, 1],
    [60, 9],
  ])('is as with the full table, up to %i tokens and cost %i', (maxLength, maxCost) => {
    fc.assert(
      fc.property(tables(maxLength, maxCost), (rows) => {
        const of = (i: number, j: number) => rows[i][j];
        const [sources, targets] = [rows.length, rows[0].length];
        expect(onlyMatchesOf(sources, targets, of)).toEqual(onlyMatchesOfFullTable(sources, targets, of));
      }),
      { numRuns: maxLength > 20 ? 60 : 500 },
    );
  });

  it.each([
    [1, 50],
    [50, 1],
    [200, 90],
  ])('also where %i sources stand against %i targets', (sources, targets) => {
    const of = (i: number, j: number) => (i * 7 + j * 5) % 11;
    expect(onlyMatchesOf(sources, targets, of)).toEqual(onlyMatchesOfFullTable(sources, targets, of));
  });

  it('prefers a step in both, then in the source, then in the target', () => {
    const free = (sources: number, targets: number) => onlyMatchesOf(sources, targets, () => 0);
    expect(free(3, 3)).toEqual([0, 1, 2]);
    expect(free(3, 2)).toEqual([NOT_ALIGNED, 2]);
    expect(free(2, 3)).toEqual([0, 0, 1]);
  });
});

describe('createTimeWarping', () => {
  const align = createTimeWarping(target, source);

  it('is as with the full table of edit distances, text after text', () => {
    fc.assert(
      fc.property(ids, ids, (targetIds, sourceIds) => {
        fc.pre(targetIds.length > 0 && sourceIds.length > 0);
        const of = (i: number, j: number) =>
          plainEditDistance(pieces[sourceIds[i] % pieces.length], pieces[targetIds[j] % pieces.length]);
        const expected = onlyMatchesOfFullTable(sourceIds.length, targetIds.length, of);
        expect([...align(targetIds, sourceIds)]).toEqual(expected);
      }),
      { numRuns: 200 },
    );
  });

  it('matches every token of a text with itself', () => {
    const identical = createTimeWarping(target, target);
    const text = Int32Array.of(8, 1, 2, 10, 4, 4, 3);
    expect([...identical(text, text)]).toEqual([0, 1, 2, 3, 4, 5, 6]);
  });

  it('aligns nothing where one side is empty', () => {
    expect([...align(Int32Array.of(1, 2), Int32Array.of())]).toEqual([NOT_ALIGNED, NOT_ALIGNED]);
    expect([...align(Int32Array.of(), Int32Array.of(1))]).toEqual([]);
  });
});
