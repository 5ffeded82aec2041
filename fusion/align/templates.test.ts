import { describe, expect, it } from 'vitest';
import type { Conversation } from '../../model/chat/conversation.ts';
import { chatModel } from '../../test/support/chat-models.ts';
import { sameVocabulary } from '../vocabulary/source-vocabulary.ts';
import { alignBySharedBoundaries, says } from './alignment.ts';
import { endsOf, withEnds, withoutTemplates } from './templates.ts';

/** "ab" by the user from 1 to 3, "cd" by the assistant from 5 to 7. */
const conversation: Conversation = {
  turns: [
    { role: 'user', content: 'ab', learnt: false, extras: '' },
    { role: 'assistant', content: 'cd', learnt: true, extras: '' },
  ],
  tools: '',
};

function spans(...pairs: [start: number, end: number][]) {
  return {
    starts: Int32Array.from(pairs, ([start]) => start),
    ends: Int32Array.from(pairs, ([, end]) => end),
    tokenLogProbabilities: new Float32Array(pairs.length),
  };
}

/** A token before each turn, one for what is said, one that ends it, and one behind the last. */
const chatml = spans([0, 1], [1, 3], [3, 4], [4, 5], [5, 7], [7, 8], [8, 9]);
/** Two tokens before each turn, and nothing behind the last. */
const llama = spans([0, 1], [1, 1], [1, 3], [3, 4], [4, 5], [5, 5], [5, 6], [6, 7], [7, 8]);
/** Nothing ends a turn. */
const base = spans([0, 1], [1, 3], [4, 5], [5, 7], [8, 9]);

const aligned = (target: typeof chatml, source: typeof chatml) =>
  withoutTemplates(alignBySharedBoundaries(target.ends, source), target, source, conversation);

describe('two templates', () => {
  it('meet where somebody begins to speak, where they have spoken, and where the turn has ended', () => {
    const { rows, kinds } = aligned(chatml, llama);
    expect([...rows]).toEqual([1, 2, 3, 5, 7, 8, -1]);
    // What follows the end of a turn is not learnt; see learning.ts.
    expect(kinds[0]).toBe(says.candidates);
    expect(kinds[3]).toBe(says.chained);
    expect(kinds[4]).toBe(says.candidates);
  });

  it('teach no end of a turn where the source writes something else', () => {
    const { rows, kinds } = aligned(chatml, base);
    expect([...rows]).toEqual([0, -1, -1, 2, -1, -1, 4]);
    expect(kinds[4]).toBe(says.nothing);
  });
});

it("a source's end of turn becomes the target's own, or nothing", () => {
  const vocabulary = sameVocabulary(4);
  expect([...withEnds(vocabulary, { source: [2], target: 0 }).ids]).toEqual([0, 1, 0, 3]);
  expect([...withEnds(vocabulary, { source: [2, 3], target: undefined }).ids]).toEqual([0, 1, -1, -1]);
  expect(withEnds(vocabulary, { source: [], target: 0 })).toBe(vocabulary);
  expect([...vocabulary.ids]).toEqual([0, 1, 2, 3]);
});

it('a text that nobody speaks ends with other tokens than a turn', async () => {
  const [source, target] = [await chatModel('llama3_1'), await chatModel('gpt2')];
  const { ofTurns, ofTexts } = await endsOf(source, target);
  expect(ofTexts.source.map((id) => source.tokenizer.tokenString(id))).toEqual([
    source.template.format.specialTokens.eos_token,
  ]);
  expect(target.tokenizer.tokenString(ofTexts.target!)).toBe('<|endoftext|>');
  expect(ofTurns.source).toEqual(await source.endsOfTurn());
});
