import { toBinary } from '@bufbuild/protobuf';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TextDistributionSchema } from '../generated/fusemesh/v1/distribution_pb.ts';
import { bitsFor, packBits, unpackBits } from './bit-packing.ts';
import { distributionFromBytes, distributionToBytes } from './distribution-bytes.ts';
import { encodeTextDistribution } from './encode-text-distribution.ts';
import { packSpans, unpackSpans } from './spans.ts';
import type { TextDistribution } from './text-distribution.ts';

const distributions = fc
  .record({
    n: fc.integer({ min: 1, max: 40 }),
    topK: fc.integer({ min: 1, max: 12 }),
    vocabularySize: fc.integer({ min: 12, max: 300_000 }),
    spansTile: fc.boolean(),
  })
  .chain(({ n, topK, vocabularySize, spansTile }) => {
    const id = fc.integer({ min: 0, max: vocabularySize - 1 });
    const column = <T>(item: fc.Arbitrary<T>, length: number) =>
      fc.array(item, { minLength: length, maxLength: length });
    return fc.record({
      vocabularySize: fc.constant(vocabularySize),
      distribution: fc
        .record({
          document: fc.integer({ min: 0, max: 2 ** 40 }),
          teacher: fc.string(),
          tokenizerFingerprint: fc.uint8Array({ minLength: 32, maxLength: 32 }),
          topK: fc.constant(topK),
          tokenIds: column(id, n).map((ids) => Int32Array.from(ids)),
          gaps: column(spansTile ? fc.constant(0) : fc.integer({ min: -2, max: 2 }), n),
          lengths: column(fc.nat({ max: 9 }), n),
          candidateIds: column(id, n * topK).map((ids) => Int32Array.from(ids)),
          logProbabilities: column(fc.double({ min: -40, max: 0, noNaN: true }), n * topK).map((values) =>
            Float32Array.from(values),
          ),
          tokenLogProbabilities: column(fc.double({ min: -40, max: 0, noNaN: true }), n).map((values) =>
            Float32Array.from(values),
          ),
          keptMass: column(fc.double({ min: 0, max: 1, noNaN: true }), n).map((values) =>
            Float32Array.from(values),
          ),
          crossEntropy: fc.double({ min: 0, max: 1e6, noNaN: true }),
          predictedTokens: fc.nat(),
          predictedBytes: fc.nat(),
        })
        .map(
          ({ gaps, lengths, ...rest }): TextDistribution => ({ ...rest, ...unpackSpans({ gaps, lengths }) }),
        ),
    });
  });

/** A text of n tokens with k candidates, as a model of this vocabulary might give it. */
function sample(n: number, k: number, vocabularySize: number): TextDistribution {
  const starts = Int32Array.from({ length: n }, (_, i) => 4 * i);
  return {
    document: 123_456,
    teacher: 'orator',
    tokenizerFingerprint: new Uint8Array(32).fill(7),
    topK: k,
    tokenIds: Int32Array.from({ length: n }, (_, i) => (i * 7919) % vocabularySize),
    starts,
    ends: starts.map((start) => start + 4),
    candidateIds: Int32Array.from({ length: n * k }, (_, i) => (i * 104_729) % vocabularySize),
    logProbabilities: Float32Array.from({ length: n * k }, (_, i) => -0.5 - (i % k)),
    tokenLogProbabilities: new Float32Array(n).fill(-3),
    keptMass: new Float32Array(n).fill(0.9),
    crossEntropy: 812.5,
    predictedTokens: n - 1,
    predictedBytes: 4 * (n - 1),
  };
}

describe('a text distribution on the wire', () => {
  it('comes back as it was, but for the rounding of probabilities', () => {
    fc.assert(
      fc.property(distributions, ({ distribution, vocabularySize }) => {
        const back = distributionFromBytes(distributionToBytes(distribution, vocabularySize));
        const { logProbabilities, tokenLogProbabilities, keptMass, ...exact } = distribution;
        expect(Buffer.compare(back.tokenizerFingerprint, distribution.tokenizerFingerprint)).toBe(0);
        expect({ ...back, tokenizerFingerprint: distribution.tokenizerFingerprint }).toMatchObject(exact);
        for (const [values, read] of [
          [logProbabilities, back.logProbabilities],
          [tokenLogProbabilities, back.tokenLogProbabilities],
        ]) {
          for (const [i, value] of values.entries()) {
            expect(Math.abs(read[i] - value)).toBeLessThanOrEqual(Math.abs(value) / 2048 + 2 ** -25);
          }
        }
        for (const [i, mass] of keptMass.entries()) {
          expect(Math.abs(back.keptMass[i] - mass)).toBeLessThanOrEqual(0.51 / 65535);
        }
      }),
    );
  });

  it('of the version with all candidates is read as it was when there was no other', () => {
    const old =
      'CAcSBm9yYXRvchogBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcgAygDMAc6AwEtAUIDAAACSgMAAwVSCFpChDAGDGQzWhIAtADAgMQAsADC' +
      'AMMAvAC+gMBiBv/vAfpHsmkAAAAAAADYP3ACeAmCAQYAAAC0ALCIAQI=';
    const bytes = Buffer.from(old, 'base64');
    const distribution = distributionFromBytes(bytes);
    expect(distribution).toMatchObject({
      topK: 3,
      tokenIds: Int32Array.of(1, 90, 4),
      candidateIds: Int32Array.of(90, 4, 17, 4, 99, 0, 3, 50, 51),
      logProbabilities: Float32Array.of(-0.25, -2, -4.5, -0.125, -3, -3.5, -1, -1.5, -2.25),
      tokenLogProbabilities: Float32Array.of(0, -0.25, -0.125),
    });
    expect(Buffer.compare(distributionToBytes(distribution, 100), bytes)).toBe(0);
  });

  it('of the version with most of their mass leaves all else as it is', () => {
    const whole = sample(7, 3, 1_000);
    const all = distributionFromBytes(distributionToBytes(whole, 1_000));
    const most = distributionFromBytes(distributionToBytes(whole, 1_000, 0.9));
    const { candidateIds, logProbabilities, keptMass, ...rest } = most;
    expect(all).toMatchObject(rest);
    expect([...candidateIds.subarray(0, 3)]).toEqual([0, 729, 0]);
    expect(keptMass[0]).toBeCloseTo(Math.exp(-0.5) + Math.exp(-1.5), 4);
    expect(logProbabilities[0]).toBeCloseTo(-0.5, 2);
    expect(logProbabilities[2]).toBe(-Infinity);
  });

  it('keeps these bytes, which others may have written', () => {
    const bytes = distributionToBytes({ ...sample(2, 4, 100), teacher: 'a' }, 100, 0.95);
    expect(Buffer.from(bytes).toString('base64')).toBe(
      'CMDEBxIBYRogBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcgAigEMAc6AoAJSgIEBGIEZ+ln6WkAAAAAAGSJQHABeASCAQQAwgDCiAEDmgENDkEEEgkhkQhCkGUICQ==',
    );
  });

  it('is read from the midst of a buffer, as a socket gives it', () => {
    const distribution = sample(7, 3, 1_000);
    const bytes = distributionToBytes(distribution, 1_000);
    for (let before = 0; before < 3; before++) {
      const received = Buffer.concat([Buffer.alloc(before), bytes, Buffer.alloc(5)]);
      const back = distributionFromBytes(received.subarray(before, before + bytes.length));
      expect(back.logProbabilities).toEqual(distribution.logProbabilities);
    }
  });

  it('takes at most 48 bytes a token with ten candidates of 32,000 tokens', () => {
    const n = 512;
    expect(distributionToBytes(sample(n, 10, 32_000), 32_000).length / n).toBeLessThanOrEqual(48);
  });

  it('is refused when damaged, never misread', () => {
    const whole = encodeTextDistribution(sample(20, 3, 1_000), 1_000);
    const damages: Partial<typeof whole>[] = [
      { tokenCount: 21 },
      { topK: 4 },
      { topK: 0 },
      { idBits: 0 },
      { idBits: 40 },
      { tokenIds: whole.tokenIds.slice(1) },
      { spanLengths: whole.spanLengths.slice(1) },
      { spanGaps: [0] },
      { candidateIds: new Uint8Array() },
      { candidateLogProbabilities: whole.candidateLogProbabilities.slice(0, -1) },
      { keptMass: new Uint8Array(41) },
    ];
    for (const damage of damages) {
      const bytes = toBinary(TextDistributionSchema, { ...whole, ...damage });
      expect(() => distributionFromBytes(bytes)).toThrow(expect.objectContaining({ code: 'data_loss' }));
    }
    const most = encodeTextDistribution(sample(20, 3, 1_000), 1_000, 1);
    for (const damage of [
      { tokenCount: 21 },
      { topK: 1 },
      { idBits: 4 },
      { schemaVersion: 2 },
      { candidates: most.candidates.slice(1) },
      { candidates: most.candidates.slice(0, -1) },
      { candidateIds: whole.candidateIds },
      { candidateLogProbabilities: whole.candidateLogProbabilities },
      { keptMass: new Uint8Array(40) },
      { topK: 2 ** 31, tokenCount: 1 },
    ]) {
      const bytes = toBinary(TextDistributionSchema, { ...most, ...damage });
      expect(() => distributionFromBytes(bytes)).toThrow(expect.objectContaining({ code: 'data_loss' }));
    }
    const both = toBinary(TextDistributionSchema, { ...whole, candidates: most.candidates });
    expect(() => distributionFromBytes(both)).toThrow('candidates stands in a message of version 2');
    const cut = toBinary(TextDistributionSchema, whole).slice(0, -30);
    expect(() => distributionFromBytes(cut)).toThrow(expect.objectContaining({ code: 'data_loss' }));
  });

  it('refuses an id outside the vocabulary', () => {
    const distribution = { ...sample(3, 2, 1_000), tokenIds: Int32Array.of(1, 1024, 2) };
    expect(() => encodeTextDistribution(distribution, 1_000)).toThrow(
      expect.objectContaining({ code: 'invalid_argument', message: expect.stringContaining('1024') }),
    );
  });
});

describe('packBits', () => {
  it('is undone by unpackBits', () => {
    const packed = fc
      .integer({ min: 1, max: 31 })
      .chain((bits) =>
        fc.tuple(fc.constant(bits), fc.array(fc.nat({ max: 2 ** bits - 1 }), { maxLength: 50 })),
      );
    fc.assert(
      fc.property(packed, ([bits, values]) => {
        const bytes = packBits(Int32Array.from(values), bits);
        expect(bytes.length).toBe(Math.ceil((values.length * bits) / 8));
        expect([...unpackBits(bytes, values.length, bits)]).toEqual(values);
      }),
    );
  });

  it('packs from the lowest bit up', () => {
    expect([...packBits(Int32Array.of(1, 2, 3), 3)]).toEqual([0b11_010_001, 0b0]);
  });

  it('takes as many bits as the largest id needs', () => {
    expect([1, 2, 3, 32_000, 32_768, 32_769].map(bitsFor)).toEqual([1, 1, 2, 15, 15, 16]);
  });
});

describe('packSpans', () => {
  it('sends no gaps where spans tile, and loses nothing where they do not', () => {
    const tiled = { starts: Int32Array.of(0, 0, 3), ends: Int32Array.of(0, 3, 5) };
    expect(packSpans(tiled.starts, tiled.ends).gaps).toEqual([]);
    // The bytes of one character share its span; a space stands outside any token.
    const shared = { starts: Int32Array.of(0, 0, 0, 3), ends: Int32Array.of(2, 2, 2, 5) };
    for (const { starts, ends } of [tiled, shared]) {
      expect(unpackSpans(packSpans(starts, ends))).toEqual({ starts, ends });
    }
  });
});
