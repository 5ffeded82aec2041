import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { chooseByMinimumCrossEntropy } from './minimum-cross-entropy.ts';

const source = fc.record({
  crossEntropy: fc.double({ min: 0, max: 5_000, noNaN: true }),
  predictedBytes: fc.integer({ min: 1, max: 4_000 }),
});

describe('chooseByMinimumCrossEntropy', () => {
  it('takes the least cross-entropy per byte', () => {
    fc.assert(
      fc.property(fc.array(source, { minLength: 1, maxLength: 6 }), (sources) => {
        const perByte = sources.map((one) => one.crossEntropy / one.predictedBytes);
        expect(chooseByMinimumCrossEntropy(sources)).toBe(perByte.indexOf(Math.min(...perByte)));
      }),
    );
  });

  it('compares tokenizers by bytes, not by tokens', () => {
    const longer = { crossEntropy: 120, predictedBytes: 100 };
    const shorter = { crossEntropy: 100, predictedBytes: 50 };
    expect(chooseByMinimumCrossEntropy([shorter, longer])).toBe(1);
  });

  it('takes the first of equals, and a source that predicted nothing last', () => {
    const equal = { crossEntropy: 10, predictedBytes: 10 };
    const nothing = { crossEntropy: 0, predictedBytes: 0 };
    expect(chooseByMinimumCrossEntropy([equal, equal])).toBe(0);
    expect(chooseByMinimumCrossEntropy([nothing, equal])).toBe(1);
    expect(chooseByMinimumCrossEntropy([nothing, nothing])).toBe(0);
  });
});
