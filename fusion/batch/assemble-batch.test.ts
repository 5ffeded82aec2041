import { describe, expect, it } from 'vitest';
import type { Tokenization } from '../../model/tokenizer/tokenization.ts';
import { fusionSettings as settings } from '../../test/support/fusion-settings.ts';
import type { TextDistribution } from '../../wire/codec/text-distribution.ts';
import { type Alignment, alignBySharedBoundaries, alignWithItself } from '../align/alignment.ts';
import { rowsByBoundary } from '../fuse/source-row.ts';
import { type SourceVocabulary, sameVocabulary } from '../vocabulary/source-vocabulary.ts';
import { assembleBatch, type SourceRelation } from './assemble-batch.ts';

/** A source's tokens end at `ends`; after token i it is sure of token 10 + i. */
function distribution(ends: number[], crossEntropy: number): TextDistribution {
  const tokens = ends.length;
  return {
    document: 0,
    teacher: 'fiction',
    tokenizerFingerprint: new Uint8Array(32),
    topK: 1,
    tokenIds: Int32Array.from(ends),
    starts: Int32Array.from([0, ...ends.slice(0, -1)]),
    ends: Int32Array.from(ends),
    candidateIds: Int32Array.from({ length: tokens }, (_, i) => 10 + i),
    logProbabilities: new Float32Array(tokens),
    tokenLogProbabilities: new Float32Array(tokens),
    keptMass: new Float32Array(tokens).fill(1),
    crossEntropy,
    predictedTokens: tokens - 1,
    predictedBytes: 10,
  };
}

function tokenization(ids: number[], ends: number[]) {
  return {
    ids: Int32Array.from(ids),
    starts: Int32Array.from([0, ...ends.slice(0, -1)]),
    ends: Int32Array.from(ends),
    doubtful: 0,
  };
}

const byBoundary =
  (
    vocabulary: SourceVocabulary,
    align: (target: Tokenization, source: TextDistribution) => Alignment,
  ): SourceRelation =>
  (target, source) => {
    const alignment = align(target, source);
    return { rows: alignment.rows, read: rowsByBoundary(source, alignment, vocabulary, 1) };
  };
const identity = byBoundary(sameVocabulary(20), ({ ids }) => alignWithItself(ids.length));
const shifted = byBoundary(
  {
    ids: Int32Array.from({ length: 20 }, (_, i) => i - 8),
    exact: new Uint8Array(20).fill(1),
    beginsLonger: new Uint8Array(20),
  },
  ({ ends }, source) => alignBySharedBoundaries(ends, source),
);
const text = 'abcdef';
const sizes = { contextLength: 4, candidates: 2 };

describe('assembleBatch', () => {
  it('labels each position with the next token, and the last with none', () => {
    const { batch, count, documents } = assembleBatch(
      [
        {
          number: 7,
          content: text,
          tokenization: tokenization([5, 6, 7], [1, 2, 3]),
          distributions: [distribution([3], 1)],
        },
      ],
      [shifted],
      settings,
      sizes,
    );
    expect(batch.lengths).toEqual([3]);
    expect([...batch.inputIds]).toEqual([5, 6, 7]);
    expect([...batch.labels]).toEqual([6, 7, -1]);
    expect(count.positions).toBe(2);
    expect(documents).toEqual([7]);
  });

  it('fuses the best source of each document at the boundaries that both share', () => {
    const { batch, count, chosenSources } = assembleBatch(
      [
        {
          number: 0,
          content: text,
          tokenization: tokenization([1, 2, 3, 4], [1, 2, 4, 6]),
          distributions: [distribution([1, 2, 4, 6], 9), distribution([2, 4, 5, 6], 4)],
        },
        {
          number: 1,
          content: text,
          tokenization: tokenization([1, 2], [1, 2]),
          distributions: [distribution([1, 2], 2), distribution([1, 2], 3)],
        },
      ],
      [identity, shifted],
      settings,
      sizes,
    );
    expect(chosenSources).toEqual([1, 0]);
    // At offset 4 two tokens of the source follow where the target has one, 4: its probability is chained.
    expect(batch.lengths).toEqual([4, 2]);
    expect([...batch.fusedIds]).toEqual([0, 0, 2, 0, 4, 3, 0, 0, 10, 0, 0, 0]);
    expect([...batch.fusedProbabilities]).toEqual([0, 0, 1, 0, 0.5, 0.5, 0, 0, 1, 0, 0, 0]);
    expect(count.aligned).toBe(3);
    expect([...count.taught]).toEqual([1, 2]);
  });

  it('names who is not there; where nobody is, the text alone teaches', () => {
    const one = { content: text, tokenization: tokenization([1, 2, 3, 4], [1, 2, 4, 6]) };
    const came = distribution([1, 2, 4, 6], 9);
    const { batch, count, chosenSources, absentSources, last } = assembleBatch(
      [
        { ...one, number: 0, distributions: [undefined, came] },
        { ...one, number: 1, distributions: [undefined, undefined] },
      ],
      [undefined, identity],
      settings,
      sizes,
    );
    expect(chosenSources).toEqual([1, -1]);
    expect(absentSources).toEqual([[0], [0, 1]]);
    expect(last?.number).toBe(0);
    expect([...count.taught]).toEqual([0, 3]);
    expect([...batch.labels]).toEqual([2, 3, 4, -1, 2, 3, 4, -1]);
    expect([...batch.fusedProbabilities.subarray(4 * batch.candidates)]).toEqual(new Array(8).fill(0));
  });

  it('learns of a conversation what it is to learn, and weighs sources by that alone', () => {
    /** "ab" by the user from 1 to 3, "cd" by the assistant from 5 to 7, a byte more where each turn ends. */
    const conversation = {
      turns: [
        { role: 'user', content: 'ab', learnt: false, extras: '' },
        { role: 'assistant', content: 'cd', learnt: true, extras: '' },
      ],
      tools: '',
    };
    const ends = [1, 3, 4, 5, 6, 7, 8, 9];
    const said = (ofUser: number, ofAssistant: number) => ({
      ...distribution(ends, 9),
      tokenLogProbabilities: Float32Array.from(ends, (end) => (end > 5 ? ofAssistant : ofUser)),
    });
    const { batch, count, chosenSources } = assembleBatch(
      [
        {
          number: 0,
          content: conversation,
          tokenization: tokenization([1, 2, 3, 4, 5, 6, 7, 8], ends),
          distributions: [said(-0.1, -2), said(-9, -1)],
        },
      ],
      [identity, identity],
      settings,
      sizes,
    );
    expect([...batch.labels]).toEqual([-1, -1, -1, 5, 6, 7, -1, -1]);
    expect(chosenSources).toEqual([1]);
    expect(count.positions).toBe(3);
    const taught = Array.from(ends, (_, row) => batch.fusedProbabilities[row * batch.candidates] > 0);
    expect(taught).toEqual([false, false, false, true, true, true, false, false]);
  });

  it("takes every row of the target's own copy, those within a character too", () => {
    const ends = [0, 3, 3, 4];
    const { count } = assembleBatch(
      [
        {
          number: 0,
          content: text,
          tokenization: tokenization([1, 2, 3, 4], ends),
          distributions: [distribution(ends, 1)],
        },
      ],
      [identity],
      settings,
      sizes,
    );
    expect(count.aligned).toBe(3);
  });
});
