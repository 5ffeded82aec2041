import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { sourceWeights } from './source-weights.ts';

const source = (teacher: string, crossEntropy: number, predictedBytes: number, predictedTokens = 1) => ({
  teacher,
  crossEntropy,
  predictedBytes,
  predictedTokens,
});
const random = fc.record({
  teacher: fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f'),
  crossEntropy: fc.double({ min: 0, max: 5000, noNaN: true }),
  predictedBytes: fc.integer({ min: 1, max: 4000 }),
  predictedTokens: fc.integer({ min: 1, max: 900 }),
});
const minCE = { combine: 'minCE', weights: {}, crossEntropyPer: 'byte' } as const;

describe('sourceWeights', () => {
  it('gives all to the source of least cross-entropy per byte, or per token as FuseLLM', () => {
    fc.assert(
      fc.property(fc.array(random, { minLength: 1, maxLength: 6 }), (sources) => {
        for (const crossEntropyPer of ['byte', 'token'] as const) {
          const means = sources.map(
            (one) =>
              one.crossEntropy / (crossEntropyPer === 'byte' ? one.predictedBytes : one.predictedTokens),
          );
          const weights = [...sourceWeights(sources, { ...minCE, crossEntropyPer })];
          expect(weights.indexOf(1)).toBe(means.indexOf(Math.min(...means)));
          expect(weights.filter((weight) => weight !== 0)).toEqual([1]);
        }
      }),
    );
  });

  it('compares tokenizers by bytes: more tokens for the same text are no merit', () => {
    const few = source('few', 120, 100, 20);
    const many = source('many', 130, 100, 60);
    expect([...sourceWeights([many, few], minCE)]).toEqual([0, 1]);
    expect([...sourceWeights([many, few], { ...minCE, crossEntropyPer: 'token' })]).toEqual([1, 0]);
  });

  it('takes the first of equals, and a source that predicted nothing last', () => {
    const equal = source('a', 10, 10);
    const nothing = source('b', 0, 0);
    expect([...sourceWeights([equal, equal], minCE)]).toEqual([1, 0]);
    expect([...sourceWeights([nothing, equal], minCE)]).toEqual([0, 1]);
    expect([...sourceWeights([nothing, nothing], minCE)]).toEqual([1, 0]);
  });

  it('avgCE weighs by softmax over exp(−CE), as FuseLLM', () => {
    const sources = [source('a', 2, 1), source('b', 1, 1), source('c', 4, 1)];
    const scores = [2, 1, 4].map((ce) => Math.exp(Math.exp(-ce)));
    const sum = scores.reduce((a, b) => a + b);
    const weights = sourceWeights(sources, { ...minCE, combine: 'avgCE' });
    for (const [i, score] of scores.entries()) expect(weights[i]).toBeCloseTo(score / sum, 12);
  });

  it('shares among those that have come, whatever stands between them', () => {
    fc.assert(
      fc.property(
        fc.array(fc.option(random, { nil: undefined }), { minLength: 1, maxLength: 6 }),
        fc.constantFrom('minCE', 'evidence', 'avgCE', 'fixed'),
        (sources, combine) => {
          const settings = { ...minCE, combine, weights: { a: 1, b: 2, c: 0.5 } } as const;
          const came = sources.filter((one) => one !== undefined);
          const weights = [...sourceWeights(sources, settings)];
          expect(weights.filter((_, s) => sources[s] !== undefined)).toEqual([
            ...sourceWeights(came, settings),
          ]);
          for (const [s, one] of sources.entries()) if (one === undefined) expect(weights[s]).toBe(0);
        },
      ),
    );
  });

  it('fixed weights give nothing where only sources without one have come: the text alone teaches', () => {
    const sources = [undefined, source('b', 1, 1)];
    expect([...sourceWeights(sources, { ...minCE, combine: 'fixed', weights: { a: 1 } })]).toEqual([0, 0]);
  });

  it('fixed weights go by name and are brought to a sum of 1', () => {
    const sources = [source('a', 1, 1), source('b', 1, 1), source('c', 1, 1)];
    const weights = sourceWeights(sources, { ...minCE, combine: 'fixed', weights: { c: 3, a: 1 } });
    expect([...weights]).toEqual([0.25, 0, 0.75]);
  });
});
