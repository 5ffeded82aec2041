import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fusionSettings as defaults } from '../../test/support/fusion-settings.ts';
import {
  type Alignment,
  alignBySharedBoundaries,
  alignWithItself,
  type SourceTokens,
} from '../align/alignment.ts';
import { type SourceVocabulary, sameVocabulary } from '../vocabulary/source-vocabulary.ts';
import { emptyCount, type FusableSource, type FusedColumns, fuseDocument } from './fuse-document.ts';
import type { FusionSettings } from './fusion-settings.ts';
import { rowsByBoundary, type SourceColumns } from './source-row.ts';

const VOCABULARY = 12;

/** What a source says, and how it goes with the target. */
interface Source {
  readonly distribution: FusableSource['distribution'] & SourceColumns & SourceTokens;
  readonly vocabulary: SourceVocabulary;
  readonly alignment: Alignment;
}

const probabilities = (k: number) =>
  fc
    .array(fc.double({ min: 0.001, max: 1, noNaN: true }), { minLength: k + 1, maxLength: k + 1 })
    .map((weights) => {
      const sum = weights.reduce((a, b) => a + b);
      return weights.slice(0, k).map((weight) => weight / sum);
    });

/** What a source says about n tokens, with k candidates of its vocabulary each and a map that may drop some. */
const sourceOf = (teacher: string, ends: Int32Array): fc.Arbitrary<Source> =>
  fc.integer({ min: 1, max: 4 }).chain((topK) => {
    const n = ends.length;
    const column = <T>(value: fc.Arbitrary<T>, length: number) =>
      fc.array(value, { minLength: length, maxLength: length });
    return fc
      .record({
        rows: column(probabilities(topK), n),
        ids: column(
          fc.shuffledSubarray([...Array(VOCABULARY).keys()], { minLength: topK, maxLength: topK }),
          n,
        ),
        tokenIds: column(fc.nat(VOCABULARY - 1), n),
        logProbabilities: column(fc.double({ min: -4, max: 0, noNaN: true }), n),
        map: column(fc.integer({ min: -1, max: VOCABULARY - 1 }), VOCABULARY),
        beginsLonger: column(fc.nat(1), VOCABULARY),
      })
      .map(({ rows, ids, tokenIds, logProbabilities: drawn, map, beginsLonger }) => {
        // No two sources predict equally well.
        const logProbabilities = drawn.map((value) => value - 0.0137 * teacher.charCodeAt(0));
        const distribution = {
          teacher,
          topK,
          ends,
          tokenIds: Int32Array.from(tokenIds),
          candidateIds: Int32Array.from(ids.flat()),
          logProbabilities: Float32Array.from(rows.flat(), Math.log),
          tokenLogProbabilities: Float32Array.from(logProbabilities),
          crossEntropy: -logProbabilities.reduce((a, b) => a + b, 0),
          predictedBytes: n,
          predictedTokens: n,
        };
        const vocabulary = {
          ids: Int32Array.from(map),
          exact: Uint8Array.from(map, (id, i) => Number(id === i)),
          beginsLonger: Uint8Array.from(beginsLonger),
        };
        return { distribution, vocabulary, alignment: alignBySharedBoundaries(ends, distribution) };
      });
  });

const cut = (length: number) =>
  fc
    .subarray(Array.from({ length: length - 1 }, (_, i) => i + 1))
    .map((inside) => Int32Array.from([...inside, length]));

/** A text under the target's tokenizer, and three sources that cut it otherwise. */
const documents = fc.integer({ min: 2, max: 12 }).chain((length) =>
  fc.tuple(cut(length), cut(length), cut(length), cut(length)).chain(([target, ...others]) =>
    fc.record({
      ids: fc
        .array(fc.nat(VOCABULARY - 1), { minLength: target.length, maxLength: target.length })
        .map((ids) => Int32Array.from(ids)),
      sources: fc
        .tuple(sourceOf('a', others[0]), sourceOf('b', others[1]), sourceOf('c', others[2]))
        .map((sources) =>
          sources.map((source) => ({
            ...source,
            alignment: alignBySharedBoundaries(target, source.distribution),
          })),
        ),
    }),
  ),
);
const settings = fc.record({
  combine: fc.constantFrom('minCE', 'evidence', 'avgCE', 'fixed'),
  weights: fc.constant({ a: 1, b: 2, c: 3 }),
  sharpness: fc.constant(0.5),
  switching: fc.constant(0.1),
  crossEntropyPer: fc.constantFrom('byte', 'token'),
  temperature: fc.constantFrom(0.5, 1, 2),
  truncated: fc.constantFrom('renormalise', 'tail'),
  standIn: fc.constant(undefined),
  unaligned: fc.constant('nothing'),
}) as fc.Arbitrary<FusionSettings>;

function fused(ids: Int32Array, sources: readonly (Source | undefined)[], chosen: FusionSettings) {
  const candidates = 16;
  const columns: FusedColumns = {
    candidates,
    fusedIds: new Int32Array(ids.length * candidates),
    fusedProbabilities: new Float32Array(ids.length * candidates),
    fusedTail: new Float32Array(ids.length),
  };
  const count = emptyCount(sources.length);
  const fusable = sources.map((source) => {
    if (source === undefined) return undefined;
    const { distribution, alignment, vocabulary } = source;
    return {
      distribution,
      align: () => ({
        rows: alignment.rows,
        read: rowsByBoundary(distribution, alignment, vocabulary, chosen.temperature),
      }),
    };
  });
  const weights = fuseDocument({ ids }, fusable, chosen, columns, 0, count);
  const row = (position: number) => {
    const begin = position * candidates;
    const entries = new Map<number, number>();
    for (let i = begin; i < begin + candidates; i++) {
      if (columns.fusedProbabilities[i] === 0) continue;
      expect(entries.has(columns.fusedIds[i])).toBe(false);
      entries.set(columns.fusedIds[i], columns.fusedProbabilities[i]);
    }
    return entries;
  };
  return { rows: Array.from(ids, (_, position) => row(position)), columns, count, weights };
}

describe('fuseDocument', () => {
  it('gives each token once, nothing below 0, and a sum of 1 with the tail, or a row of zeros', () => {
    fc.assert(
      fc.property(documents, settings, ({ ids, sources }, chosen) => {
        const { rows, columns, count } = fused(ids, sources, chosen);
        let aligned = 0;
        for (const [position, row] of rows.entries()) {
          const sum = [...row.values()].reduce((a, b) => a + b, 0) + columns.fusedTail[position];
          if (row.size > 0) aligned++;
          expect(sum).toBeCloseTo(row.size > 0 ? 1 : 0, 5);
          for (const probability of row.values()) expect(probability).toBeGreaterThan(0);
          if (chosen.truncated === 'renormalise') expect(columns.fusedTail[position]).toBe(0);
        }
        expect(count.aligned).toBe(aligned);
        expect(count.positions).toBe(ids.length - 1);
      }),
    );
  });

  it('teaches the text where nothing is fused, if the settings say so, and changes nothing elsewhere', () => {
    fc.assert(
      fc.property(documents, settings, ({ ids, sources }, chosen) => {
        const masked = fused(ids, sources, chosen);
        const { rows, count } = fused(ids, sources, { ...chosen, unaligned: 'text' });
        expect(count).toEqual(masked.count);
        for (const [position, row] of rows.entries()) {
          const text = position + 1 < ids.length ? new Map([[ids[position + 1], 1]]) : new Map();
          expect(row).toEqual(masked.rows[position].size > 0 ? masked.rows[position] : text);
        }
      }),
    );
  });

  it('does not depend on the order of the sources', () => {
    fc.assert(
      fc.property(documents, settings, ({ ids, sources }, chosen) => {
        const { rows, columns } = fused(ids, sources, chosen);
        const turned = fused(ids, sources.toReversed(), chosen);
        for (const [position, row] of rows.entries()) {
          expect(columns.fusedTail[position]).toBeCloseTo(turned.columns.fusedTail[position], 5);
          expect([...turned.rows[position].keys()].sort()).toEqual([...row.keys()].sort());
          for (const [id, probability] of row)
            expect(turned.rows[position].get(id)).toBeCloseTo(probability, 5);
        }
      }),
    );
  });

  it('with sources that have not come gives what the others alone give, in every way to combine', () => {
    const someCame = fc.array(fc.boolean(), { minLength: 3, maxLength: 3 });
    // FuseLLM's frozen copy speaks where another has nothing to say, if it has come.
    const standIn = fc.constantFrom(undefined, 'c');
    fc.assert(
      fc.property(documents, settings, someCame, standIn, ({ ids, sources }, some, came, standIn) => {
        const chosen = { ...some, standIn };
        const whole = fused(
          ids,
          sources.map((source, s) => (came[s] ? source : undefined)),
          chosen,
        );
        const rest = fused(
          ids,
          sources.filter((_, s) => came[s]),
          chosen,
        );
        expect(whole.columns).toEqual(rest.columns);
        expect(whole.count).toMatchObject({ ...rest.count, taught: expect.anything() });
        expect([...whole.count.taught].filter((_, s) => came[s])).toEqual([...rest.count.taught]);
        expect([...whole.weights].filter((_, s) => came[s])).toEqual([...rest.weights]);
        for (const s of [0, 1, 2]) if (!came[s]) expect(whole.count.taught[s]).toBe(0);
      }),
    );
  });

  it('gives a source with the same tokenizer back as it is', () => {
    fc.assert(
      fc.property(
        cut(8).chain((ends) => sourceOf('a', ends)),
        (source) => {
          const { distribution } = source;
          const { tokenIds: ids, topK, candidateIds, logProbabilities } = distribution;
          const same = {
            distribution,
            vocabulary: sameVocabulary(VOCABULARY),
            alignment: alignWithItself(ids.length),
          };
          const { rows, count } = fused(ids, [same], { ...defaults, truncated: 'tail' });
          for (let position = 0; position + 1 < ids.length; position++) {
            expect([...rows[position].keys()]).toEqual([
              ...candidateIds.slice(position * topK, (position + 1) * topK),
            ]);
            for (let i = 0; i < topK; i++) {
              const expected = Math.exp(logProbabilities[position * topK + i]);
              expect([...rows[position].values()][i]).toBeCloseTo(expected, 6);
            }
          }
          expect(count.mass.byRule).toBe(0);
          expect(count.mass.dropped).toBe(0);
        },
      ),
    );
  });

  it('counts all mass of the candidates, wherever it went', () => {
    fc.assert(
      fc.property(documents, ({ ids, sources: [source] }) => {
        const { count } = fused(ids, [source], defaults);
        let sum = 0;
        for (const [position, kind] of source.alignment.kinds.entries()) {
          if (kind === 0) continue;
          const { topK, logProbabilities } = source.distribution;
          const row = source.alignment.rows[position];
          for (let i = row * topK; i < (row + 1) * topK; i++) sum += Math.exp(logProbabilities[i]);
          if (kind === 2) sum += Math.exp(source.alignment.chainedLogProbabilities[position]);
        }
        const { exact, byRule, dropped } = count.mass;
        expect(exact + byRule + dropped).toBeCloseTo(sum, 4);
      }),
    );
  });

  it('keeps the mass of the candidates at any temperature, and flattens above 1', () => {
    const ends = Int32Array.of(1, 2);
    const distribution = {
      teacher: 'a',
      topK: 2,
      ends,
      tokenIds: Int32Array.of(0, 1),
      candidateIds: Int32Array.of(1, 2, 1, 2),
      logProbabilities: Float32Array.from([0.8, 0.1, 0.8, 0.1], Math.log),
      tokenLogProbabilities: new Float32Array(2),
      crossEntropy: 1,
      predictedBytes: 1,
      predictedTokens: 1,
    };
    const source = { distribution, vocabulary: sameVocabulary(3), alignment: alignWithItself(2) };
    const { rows, columns } = fused(Int32Array.of(0, 1), [source], {
      ...defaults,
      temperature: 2,
      truncated: 'tail',
    });
    const [first, second] = rows[0].values();
    expect(first / second).toBeCloseTo(Math.sqrt(8), 5);
    expect(first + second).toBeCloseTo(0.9, 6);
    expect(columns.fusedTail[0]).toBeCloseTo(0.1, 6);
  });
});
