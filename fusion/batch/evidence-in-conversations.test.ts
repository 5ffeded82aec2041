import { expect, test } from 'vitest';
import type { Conversation } from '../../model/chat/conversation.ts';
import { fusionSettings } from '../../test/support/fusion-settings.ts';
import type { TextDistribution } from '../../wire/codec/text-distribution.ts';
import { alignWithItself } from '../align/alignment.ts';
import { rowsByBoundary } from '../fuse/source-row.ts';
import { sameVocabulary } from '../vocabulary/source-vocabulary.ts';
import { assembleBatch, type SourceRelation } from './assemble-batch.ts';

/** "ab" by the user from 1 to 3, the answer from 5 to 9, a byte more where each turn ends. */
const ends = Int32Array.of(1, 3, 4, 5, 6, 7, 8, 9, 10, 11);
const starts = Int32Array.from(ends, (_, i) => (i === 0 ? 0 : ends[i - 1]));
const ids = Int32Array.from(ends, (_, i) => i + 1);
const answer = [4, 5, 6, 7];
const content: Conversation = {
  turns: [
    { role: 'user', content: 'ab', learnt: false, extras: '' },
    { role: 'assistant', content: 'cdef', learnt: true, extras: '', unfinished: false },
  ],
  tools: '',
};
const relation: SourceRelation = (target, source) => {
  const alignment = alignWithItself(target.ids.length);
  return { rows: alignment.rows, read: rowsByBoundary(source, alignment, sameVocabulary(20), 1) };
};

/** A teacher to whom tokens of the answer cost so many nats, and all others so many. */
const said = (teacher: string, ofAnswer: number, ofOthers: number): TextDistribution => ({
  document: 0,
  teacher,
  tokenizerFingerprint: new Uint8Array(32),
  topK: 1,
  tokenIds: ids,
  starts,
  ends,
  candidateIds: ids.slice(),
  logProbabilities: new Float32Array(ends.length),
  tokenLogProbabilities: Float32Array.from(ends, (_, i) => -(answer.includes(i) ? ofAnswer : ofOthers)),
  keptMass: new Float32Array(ends.length).fill(1),
  crossEntropy: 0,
  predictedTokens: ends.length - 1,
  predictedBytes: ends.length - 1,
});

const chosen = (distributions: TextDistribution[]) =>
  assembleBatch(
    [{ number: 0, content, tokenization: { ids, starts, ends, doubtful: 0 }, distributions }],
    [relation, relation],
    { ...fusionSettings, combine: 'evidence' },
    { candidates: 2 },
  );

test('of a conversation only what is learnt is evidence, not the user nor the template', () => {
  const { chosenSources, count } = chosen([said('talker', 2, 0.1), said('answerer', 1, 9)]);
  expect(chosenSources).toEqual([1]);
  expect(count.taught[1]).toBeGreaterThan(count.taught[0]);
  const other = chosen([said('talker', 2, 5), said('answerer', 1, 0.1)]);
  for (const [s, taught] of count.taught.entries()) expect(other.count.taught[s]).toBeCloseTo(taught, 10);
});
