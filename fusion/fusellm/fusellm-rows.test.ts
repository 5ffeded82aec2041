import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { NOT_ALIGNED } from '../align/boundary.ts';
import { NOT_MAPPED } from '../vocabulary/exact-map.ts';
import { createSameToken, fusellmRows, type SourceSteps } from './fusellm-rows.ts';
import { minimumEditDistanceMap } from './minimum-edit-distance.ts';
import type { TokenStrings } from './token-strings.ts';

const vocabulary = (strings: readonly string[], spaceMark: string): TokenStrings => ({
  vocabularySize: strings.length,
  spaceMark,
  tokenString: (id) => strings[id],
});

/** One step, whose candidates are mapped to 7, 8, none and 7 again. */
const oneStep: SourceSteps = {
  topK: 4,
  tokenIds: Int32Array.of(3),
  candidateIds: Int32Array.of(0, 1, 2, 3),
  logProbabilities: Float32Array.from([0.5, 0.25, 0.125, 0.125], Math.log),
};
const map = Int32Array.of(7, 8, NOT_MAPPED, 7);
const always = () => true;
const never = () => false;

describe('fusellmRows', () => {
  it('keeps the first of equal candidates, drops those without a token, and renormalises', () => {
    const { counts, ids, probabilities } = fusellmRows(
      Int32Array.of(7),
      oneStep,
      Int32Array.of(0),
      map,
      always,
      1,
    );
    expect([...counts]).toEqual([2]);
    expect([...ids]).toEqual([7, 8, 0, 0]);
    expect(probabilities[0]).toBeCloseTo(2 / 3, 6);
    expect(probabilities[1]).toBeCloseTo(1 / 3, 6);
    expect([...probabilities.slice(2)]).toEqual([0, 0]);
  });

  it('divides logarithms by the temperature', () => {
    const { probabilities } = fusellmRows(Int32Array.of(7), oneStep, Int32Array.of(0), map, always, 2);
    expect(probabilities[0] / probabilities[1]).toBeCloseTo(Math.SQRT2, 5);
  });

  it("gives the target's own token where nothing is aligned, or another token is", () => {
    for (const [aligned, isSame] of [
      [NOT_ALIGNED, always],
      [0, never],
    ] as const) {
      const rows = fusellmRows(Int32Array.of(9), oneStep, Int32Array.of(aligned), map, isSame, 1);
      expect([rows.counts[0], rows.ids[0], rows.probabilities[0]]).toEqual([1, 9, 1]);
    }
  });

  it('leaves a row empty where no candidate is left', () => {
    const none = new Int32Array(4).fill(NOT_MAPPED);
    const rows = fusellmRows(Int32Array.of(9), oneStep, Int32Array.of(0), none, always, 1);
    expect([...rows.counts, ...rows.ids, ...rows.probabilities]).toEqual(Array(9).fill(0));
  });

  it('passes over candidates beyond the vocabulary', () => {
    const wide = { ...oneStep, candidateIds: Int32Array.of(400, 1, 2, 3) };
    const { ids } = fusellmRows(Int32Array.of(9), wide, Int32Array.of(0), map, always, 1);
    expect([...ids]).toEqual([8, 7, 0, 0]);
  });

  it('is the same when a constant is added to the logarithms', () => {
    fc.assert(
      fc.property(fc.integer({ min: -64, max: 64 }), (constant) => {
        const shifted = {
          ...oneStep,
          logProbabilities: oneStep.logProbabilities.map((one) => one + constant),
        };
        const rows = (source: SourceSteps) =>
          fusellmRows(Int32Array.of(7), source, Int32Array.of(0), map, always, 1).probabilities;
        expect(rows(shifted)[0]).toBeCloseTo(rows(oneStep)[0], 5);
      }),
    );
  });
});

describe('createSameToken', () => {
  const target = vocabulary(['▁The', 'The', '▁cat', '▁Thee', '▁x'], '▁');
  const byteLevel = vocabulary(['The', 'Ġcat', 'ĠThe', 'Thee', 'Zzz', 'ĠZzz'], 'Ġ');
  const isSame = createSameToken(target, byteLevel, minimumEditDistanceMap(byteLevel, target));

  it('is the mapped token', () => {
    expect(isSame(1, 2, 1)).toBe(true);
    expect(isSame(1, 0, 0)).toBe(false);
    expect(isSame(1, 1, 0)).toBe(true);
  });

  it('puts a space mark before the first token of a byte-level source where the target has one', () => {
    expect(isSame(0, 0, 0)).toBe(true);
    expect(isSame(0, 3, 3)).toBe(true);
    expect(isSame(0, 1, 0)).toBe(true);
    expect(isSame(0, 0, 1)).toBe(false);
  });

  it('maps the first token with its mark, where the source has such a token', () => {
    // 'ĠZzz' goes to '▁The' (distance 3, the first), and so does 'Zzz' as a first token; elsewhere to 'The'.
    expect(isSame(0, 0, 4)).toBe(true);
    expect(isSame(1, 0, 4)).toBe(false);
    expect(isSame(1, 1, 4)).toBe(true);
  });

  it('puts none before that of a source that marks first words itself', () => {
    const metaspace = vocabulary(['The'], '▁');
    const plain = createSameToken(target, metaspace, minimumEditDistanceMap(metaspace, target));
    expect(plain(0, 0, 0)).toBe(false);
    expect(plain(0, 1, 0)).toBe(true);
  });
});

it('takes what fills up a row of fewer candidates for none', () => {
  const filled: SourceSteps = {
    topK: 4,
    tokenIds: Int32Array.of(3),
    candidateIds: Int32Array.of(0, 1, 0, 0),
    logProbabilities: Float32Array.of(-0.5, -1.5, -Infinity, -Infinity),
  };
  const { counts, probabilities } = fusellmRows(Int32Array.of(3), filled, Int32Array.of(0), map, always, 1);
  expect([...counts]).toEqual([2]);
  expect(probabilities[0] + probabilities[1]).toBeCloseTo(1, 6);
});
