import { create, toBinary } from '@bufbuild/protobuf';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TextDistributionSchema } from '../generated/fusemesh/v1/distribution_pb.ts';
import { distributionCheck, type ExpectedDistribution, unfitFor } from './check-distribution.ts';
import { distributionFromBytes, distributionToBytes } from './distribution-bytes.ts';
import type { TextDistribution } from './text-distribution.ts';
import { refusedDistribution } from './text-distribution.ts';

const fingerprint = new Uint8Array(32).fill(7);
const expected: ExpectedDistribution = {
  teacher: 'orator',
  fingerprint,
  tokens: 90,
  candidates: 100,
  documents: 50,
};

/** What a teacher may say: spans of a text, special tokens and shared characters among them. */
const valid: fc.Arbitrary<TextDistribution> = fc
  .record({ n: fc.integer({ min: 1, max: 30 }), topK: fc.integer({ min: 1, max: 8 }) })
  .chain(({ n, topK }) => {
    const column = <T>(item: fc.Arbitrary<T>) => fc.array(item, { minLength: n, maxLength: n });
    const id = fc.integer({ min: 0, max: expected.candidates - 1 });
    return fc.record({
      topK: fc.constant(topK),
      document: fc.integer({ min: 0, max: expected.documents - 1 }),
      ids: column(fc.integer({ min: 0, max: expected.tokens - 1 })),
      lengths: column(fc.nat({ max: 9 })),
      shares: column(fc.boolean()),
      rows: column(fc.uniqueArray(id, { minLength: topK, maxLength: topK })),
      steps: column(
        fc.array(fc.double({ min: 0, max: 5, noNaN: true }), { minLength: topK, maxLength: topK }),
      ),
      own: column(fc.double({ min: -30, max: 0, noNaN: true })),
      mass: column(fc.double({ min: 0, max: 1, noNaN: true })),
    });
  })
  .map(({ topK, document, ids, lengths, shares, rows, steps, own, mass }) => {
    const n = ids.length;
    const starts = new Int32Array(n);
    const ends = new Int32Array(n);
    for (let i = 0, end = 0; i < n; i++) {
      const shared = i > 0 && shares[i];
      starts[i] = shared ? starts[i - 1] : end;
      ends[i] = shared ? ends[i - 1] : end + lengths[i];
      end = ends[i];
    }
    let sum = 0;
    const falling = steps.map((row) => {
      sum = 0;
      return row.map((step) => (sum -= step));
    });
    const tokenLogProbabilities = Float32Array.from(own);
    return {
      document,
      teacher: 'orator',
      tokenizerFingerprint: fingerprint,
      topK,
      starts,
      ends,
      tokenIds: Int32Array.from(ids),
      candidateIds: Int32Array.from(rows.flat()),
      logProbabilities: Float32Array.from(falling.flat()),
      tokenLogProbabilities,
      keptMass: Float32Array.from(mass),
      crossEntropy: -tokenLogProbabilities.reduce((a, b) => a + b, 0),
      predictedTokens: n - 1,
      predictedBytes: ends[n - 1] - ends[0],
    };
  });

const received = (distribution: TextDistribution) =>
  distributionFromBytes(distributionToBytes(distribution, expected.candidates));

/** Breaks one invariant, and the field that the reason must name. */
const breaches: readonly [
  field: RegExp,
  breach: (good: TextDistribution, at: number) => Partial<TextDistribution>,
][] = [
  [/teacher is "novelist"/, () => ({ teacher: 'novelist' })],
  [/document is beyond the 50/, () => ({ document: 50 })],
  [/tokenizer_fingerprint/, () => ({ tokenizerFingerprint: fingerprint.map((byte) => byte ^ 1) })],
  [/tokenizer_fingerprint/, () => ({ tokenizerFingerprint: new Uint8Array() })],
  [/token_ids has 90/, ({ tokenIds }, at) => ({ tokenIds: tokenIds.with(at, 90) })],
  [/candidate_ids has 101/, ({ candidateIds }, at) => ({ candidateIds: candidateIds.with(at, 101) })],
  [
    /candidate_log_probabilities has NaN/,
    ({ logProbabilities }, at) => ({ logProbabilities: logProbabilities.with(at, Number.NaN) }),
  ],
  [
    /candidate_log_probabilities (has 0.5|rise)/,
    ({ logProbabilities }, at) => ({ logProbabilities: logProbabilities.with(at, 0.5) }),
  ],
  [
    /candidate_log_probabilities (has Infinity|rise)/,
    ({ logProbabilities }, at) => ({ logProbabilities: logProbabilities.with(at, Number.POSITIVE_INFINITY) }),
  ],
  [
    /token_log_probabilities has NaN/,
    ({ tokenLogProbabilities }, at) => ({
      tokenLogProbabilities: tokenLogProbabilities.with(at, Number.NaN),
    }),
  ],
  [
    /token_log_probabilities has 2/,
    ({ tokenLogProbabilities }, at) => ({ tokenLogProbabilities: tokenLogProbabilities.with(at, 2) }),
  ],
  [/cross_entropy is NaN/, () => ({ crossEntropy: Number.NaN })],
  [/cross_entropy is Infinity/, () => ({ crossEntropy: Number.POSITIVE_INFINITY })],
  [
    /cross_entropy is .*token_log_probabilities make/,
    ({ crossEntropy }) => ({ crossEntropy: 2 * crossEntropy + 1 }),
  ],
  [/predicted_tokens is/, ({ tokenIds }) => ({ predictedTokens: tokenIds.length + 1 })],
  [
    /span_lengths and span_gaps make token/,
    ({ starts }, at) => ({ starts: starts.with(at, starts[at] - 1000) }),
  ],
  [
    /span_lengths and span_gaps make token/,
    ({ ends }, at) => ({ ends: ends.with(at, 2 ** 31 - 1).with(-1, 5) }),
  ],
];

describe('a check of distributions', () => {
  it('lets every valid one pass, over the wire, however many have passed before', () => {
    const check = distributionCheck(expected);
    fc.assert(
      fc.property(valid, (distribution) => {
        check(received(distribution));
      }),
    );
  });

  it.each(breaches)('refuses what breaks one invariant: %s', (field, breach) => {
    const check = distributionCheck(expected);
    fc.assert(
      fc.property(valid, fc.nat(), (good, seed) => {
        const at = seed % good.tokenIds.length;
        const bad = { ...good, ...breach(good, at) };
        fc.pre(!Number.isNaN(bad.starts[0]) && (bad.ends === good.ends || at < good.ends.length - 1));
        expect(() => check(bad)).toThrow(
          expect.objectContaining({ code: 'data_loss', message: expect.stringMatching(field) }),
        );
        // What was refused leaves no trace.
        check(good);
      }),
      { numRuns: 50 },
    );
  });

  it('refuses a candidate that stands twice in a row, and rows that are not sorted', () => {
    const check = distributionCheck(expected);
    fc.assert(
      fc.property(valid, (good) => {
        fc.pre(good.topK > 1);
        const twice = good.candidateIds.with(1, good.candidateIds[0]);
        expect(() => check({ ...good, candidateIds: twice })).toThrow(
          /candidate_ids has \d+ twice after token 0/,
        );
        const rising = good.logProbabilities.with(0, good.logProbabilities[1] - 1);
        expect(() => check({ ...good, logProbabilities: rising })).toThrow(
          /candidate_log_probabilities rise/,
        );
      }),
    );
  });

  it('takes that a teacher cannot score a document, from that teacher alone', () => {
    const check = distributionCheck(expected);
    const origin = { document: 3, teacher: 'orator', tokenizerFingerprint: fingerprint };
    const refusal = refusedDistribution(origin, 'too long');
    check(received(refusal));
    expect(received(refusal)).toEqual(refusal);
    expect(() => check({ ...refusal, teacher: 'novelist' })).toThrow(/teacher is/);
    expect(() => check({ ...refusal, document: 77 })).toThrow(/document is beyond/);
  });
});

describe('the text of a distribution', () => {
  it('is as long as its spans, and has the bytes that were predicted', () => {
    fc.assert(
      fc.property(valid, (good) => {
        const end = good.ends.at(-1)!;
        const exactly = { least: end, most: end };
        expect(unfitFor(good, exactly)).toBeUndefined();
        expect(unfitFor(good, { least: end - 1, most: end + 1 })).toBeUndefined();
        expect(unfitFor(good, { least: end + 1, most: end + 1 })).toMatch(/span_lengths end at/);
        expect(unfitFor(good, { least: end - 1, most: end - 1 })).toMatch(/span_lengths end at/);
        expect(unfitFor({ ...good, predictedBytes: end + 1 }, exactly)).toMatch(/predicted_bytes is/);
      }),
    );
  });
});

describe('what costs little to send', () => {
  const refused = (bytes: Uint8Array, reason: RegExp) =>
    expect(() => distributionFromBytes(bytes)).toThrow(
      expect.objectContaining({ code: 'data_loss', message: expect.stringMatching(reason) }),
    );
  const encoded = (fields: object) =>
    toBinary(TextDistributionSchema, create(TextDistributionSchema, { schemaVersion: 2, ...fields }));

  it('does not cost much to read', () => {
    const before = process.memoryUsage().rss;
    const zeros = new Array<number>(8_000_000).fill(0);
    refused(
      encoded({ tokenCount: 4, topK: 1, idBits: 1, spanLengths: zeros }),
      /span_lengths and span_gaps have/,
    );
    refused(
      encoded({ tokenCount: 4_000_000_000, topK: 4_000_000_000, idBits: 31 }),
      /token_count is 4000000000/,
    );
    refused(encoded({ tokenCount: 1_000_000, topK: 4_000_000_000, idBits: 31 }), /token_ids has length 0/);
    // Sixteen million fields that nobody knows.
    refused(
      new Uint8Array(32 << 20).fill(0).map((_, i) => (i % 2 === 0 ? 0xf8 & 0x78 : 0)),
      /more than 64 fields/,
    );
    expect(process.memoryUsage().rss - before).toBeLessThan(700 << 20);
  });

  it('of another version, without tokens, or with a refusal beside them, is refused', () => {
    refused(
      encoded({ schemaVersion: 4, document: 7n, teacher: 'orator' }),
      /document 7 by orator was made by a newer version/,
    );
    for (const schemaVersion of [0, 1]) {
      refused(
        encoded({ schemaVersion, document: 7n, teacher: 'orator' }),
        /document 7 by orator were made by an older version of FuseMesh \(schema_version 1, needed 2\)/,
      );
    }
    refused(encoded({ topK: 1, idBits: 1 }), /token_count is 0/);
    refused(encoded({ tokenCount: 3, topK: 1, refusal: 'no' }), /refusal stands beside columns/);
    refused(encoded({ document: 2n ** 60n, tokenCount: 3 }), /document is 1152921504606846976/);
  });
});
