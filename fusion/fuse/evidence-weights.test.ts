import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { NOT_ALIGNED } from '../align/boundary.ts';
import { evidenceWeights, type PredictingSource } from './evidence-weights.ts';

const length = 8;

/** What a source says of each of its own tokens, and which of these end where the target's do. */
const source: fc.Arbitrary<PredictingSource> = fc
  .record({
    aligned: fc.array(fc.boolean(), { minLength: length, maxLength: length }),
    // Tokens of its own between two of the target's.
    extra: fc.array(fc.nat(2), { minLength: length, maxLength: length }),
    logProbabilities: fc.array(fc.double({ min: -9, max: 0, noNaN: true }), {
      minLength: 3 * length,
      maxLength: 3 * length,
    }),
  })
  .map(({ aligned, extra, logProbabilities }) => {
    let row = -1;
    const rows = Int32Array.from(aligned, (isAligned, position) => {
      if (!isAligned) return NOT_ALIGNED;
      row += 1 + extra[position];
      return row;
    });
    return { rows, distribution: { tokenLogProbabilities: Float32Array.from(logProbabilities) } };
  });
const sources = fc.array(fc.option(source, { nil: undefined, freq: 4 }), { minLength: 1, maxLength: 4 });
const evidence = fc.record({
  sharpness: fc.double({ min: 0.05, max: 1, noNaN: true }),
  switching: fc.double({ min: 0.001, max: 0.5, noNaN: true }),
});

/** The stretches between places where all are aligned: where each ends, and its likelihood by source. */
function stretchesOf(present: readonly PredictingSource[]): { end: number; likelihoods: number[] }[] {
  const common = Array.from({ length }, (_, position) => position).filter((position) =>
    present.every(({ rows }) => rows[position] !== NOT_ALIGNED),
  );
  return common.slice(1).map((end, i) => ({
    end,
    likelihoods: present.map(({ rows, distribution: { tokenLogProbabilities } }) =>
      Math.exp(tokenLogProbabilities.slice(rows[common[i]] + 1, rows[end] + 1).reduce((a, b) => a + b, 0)),
    ),
  }));
}

/** All sequences of one source for each of n + 1 stretches. */
const sequences = (count: number, n: number): number[][] =>
  n === 0
    ? Array.from({ length: count }, (_, s) => [s])
    : sequences(count, n - 1).flatMap((one) => Array.from({ length: count }, (_, s) => [...one, s]));

const weightsAt = (weights: Float64Array, position: number, count: number): number[] => [
  ...weights.subarray(position * count, (position + 1) * count),
];

describe('evidenceWeights', () => {
  it('sums to 1 at each position, and gives a source that has not come nothing', () => {
    fc.assert(
      fc.property(sources, evidence, (some, settings) => {
        const weights = evidenceWeights(some, length, settings);
        const anyCame = some.some((one) => one !== undefined);
        for (let position = 0; position < length; position++) {
          const own = weightsAt(weights, position, some.length);
          expect(own.reduce((a, b) => a + b, 0)).toBeCloseTo(anyCame ? 1 : 0, 10);
          for (const [s, weight] of own.entries()) expect(weight > 0).toBe(some[s] !== undefined);
        }
      }),
    );
  });

  it('is the posterior over all sequences of sources that switch with probability α, by Bayes', () => {
    fc.assert(
      fc.property(
        fc.array(source, { minLength: 1, maxLength: 3 }),
        evidence,
        (present, { sharpness, switching }) => {
          const count = present.length;
          const weights = evidenceWeights(present, length, { sharpness, switching });
          const stretches = stretchesOf(present).slice(0, 4);
          const move = (from: number, to: number) => switching / count + (from === to ? 1 - switching : 0);
          for (const [n, { end }] of stretches.entries()) {
            const posterior = new Array<number>(count).fill(0);
            for (const sequence of sequences(count, n + 1)) {
              let joint = 1 / count;
              for (let i = 0; i <= n; i++) {
                joint *=
                  stretches[i].likelihoods[sequence[i]] ** sharpness * move(sequence[i], sequence[i + 1]);
              }
              posterior[sequence[n + 1]] += joint;
            }
            const sum = posterior.reduce((a, b) => a + b, 0);
            const own = weightsAt(weights, end, count);
            for (const [s, value] of posterior.entries()) expect(own[s]).toBeCloseTo(value / sum, 6);
          }
        },
      ),
    );
  });

  it('predicts the text nearly as well as the best source: the bound of fixed share without a switch', () => {
    fc.assert(
      fc.property(fc.array(source, { minLength: 1, maxLength: 4 }), evidence, (present, { switching }) => {
        const count = present.length;
        const weights = evidenceWeights(present, length, { sharpness: 1, switching });
        const stretches = stretchesOf(present);
        const losses = new Array<number>(count).fill(0);
        let loss = 0;
        let before = new Array<number>(count).fill(1 / count);
        for (const { end, likelihoods } of stretches) {
          loss -= Math.log(likelihoods.reduce((sum, value, s) => sum + before[s] * value, 0));
          for (const [s, value] of likelihoods.entries()) losses[s] -= Math.log(value);
          before = weightsAt(weights, end, count);
        }
        const stay = 1 - switching + switching / count;
        const bound = Math.log(count) - Math.max(0, stretches.length - 1) * Math.log(stay);
        expect(loss).toBeLessThanOrEqual(Math.min(...losses) + bound + 1e-6);
      }),
    );
  });

  it('gives back the weights of before where no source thought the text possible', () => {
    const impossible = {
      rows: Int32Array.of(0, 1),
      distribution: { tokenLogProbabilities: Float32Array.of(0, Number.NEGATIVE_INFINITY) },
    };
    const weights = evidenceWeights([impossible, impossible], 2, { sharpness: 1, switching: 0.1 });
    expect([...weights]).toEqual([0.5, 0.5, 0.5, 0.5]);
  });
});
