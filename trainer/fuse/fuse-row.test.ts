import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { NOT_MAPPED } from '../align/vocabulary-map.ts';
import { type FusedColumns, fuseRow, type SourceRows } from './fuse-row.ts';

function emptyColumns(rows: number, candidates: number): FusedColumns {
  return {
    candidates,
    fusedIds: new Int32Array(rows * candidates),
    fusedProbabilities: new Float32Array(rows * candidates),
  };
}

/** One row of a source with distinct candidates, and a map that drops some and joins others. */
const source: fc.Arbitrary<SourceRows> = fc
  .integer({ min: 1, max: 12 })
  .chain((topK) =>
    fc.record({
      ids: fc.uniqueArray(fc.nat({ max: 40 }), { minLength: topK, maxLength: topK }),
      logProbabilities: fc.array(fc.float({ min: -30, max: 0, noNaN: true }), {
        minLength: topK,
        maxLength: topK,
      }),
      map: fc.array(fc.integer({ min: NOT_MAPPED, max: 9 }), { minLength: 35, maxLength: 35 }),
    }),
  )
  .map(({ ids, logProbabilities, map }) => ({
    topK: ids.length,
    candidateIds: Int32Array.from(ids),
    logProbabilities: Float32Array.from(logProbabilities),
    vocabularyMap: Int32Array.from(map),
  }));

describe('fuseRow', () => {
  it('gives probabilities that sum to 1, or a row of zeros', () => {
    fc.assert(
      fc.property(source, (rows) => {
        const columns = emptyColumns(1, rows.topK);
        const fused = fuseRow(rows, 0, columns, 0);
        const sum = columns.fusedProbabilities.reduce((total, one) => total + one, 0);
        expect(sum).toBeCloseTo(fused ? 1 : 0, 5);
        expect(columns.fusedProbabilities.every((one) => one >= 0)).toBe(true);
        const mapped = [...rows.candidateIds].some((id) => (rows.vocabularyMap[id] ?? NOT_MAPPED) >= 0);
        expect(fused).toBe(mapped);
      }),
    );
  });

  it('names each token once and keeps the ratios of the source', () => {
    fc.assert(
      fc.property(source, (rows) => {
        const columns = emptyColumns(1, rows.topK);
        fuseRow(rows, 0, columns, 0);
        const expected = new Map<number, number>();
        let mass = 0;
        for (const [i, id] of rows.candidateIds.entries()) {
          const mapped = rows.vocabularyMap[id] ?? NOT_MAPPED;
          if (mapped === NOT_MAPPED) continue;
          const probability = Math.exp(rows.logProbabilities[i]);
          expected.set(mapped, (expected.get(mapped) ?? 0) + probability);
          mass += probability;
        }
        const ids = [...columns.fusedIds.slice(0, expected.size)];
        expect(ids).toEqual([...expected.keys()]);
        for (const [slot, id] of ids.entries()) {
          expect(columns.fusedProbabilities[slot]).toBeCloseTo(expected.get(id)! / mass, 5);
        }
      }),
    );
  });

  it('writes its own row only', () => {
    const columns = emptyColumns(3, 2);
    const rows: SourceRows = {
      topK: 2,
      candidateIds: Int32Array.of(0, 1, 2, 3),
      logProbabilities: Float32Array.from([0.5, 0.5, 0.6, 0.2], Math.log),
      vocabularyMap: Int32Array.of(7, 8, 9, NOT_MAPPED),
    };
    expect(fuseRow(rows, 1, columns, 1)).toBe(true);
    expect([...columns.fusedIds]).toEqual([0, 0, 9, 0, 0, 0]);
    expect([...columns.fusedProbabilities].map((one) => Math.fround(one + 1) - 1)).toEqual([
      0, 0, 1, 0, 0, 0,
    ]);
  });
});
