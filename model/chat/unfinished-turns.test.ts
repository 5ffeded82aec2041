import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type ChatTokenizer,
  chatModel,
  conversation,
  encoded,
  says,
} from '../../test/support/chat-models.ts';
import { texts } from '../../test/support/tokenizer-properties.ts';
import { turnPlaces } from './content-layout.ts';
import type { Conversation } from './conversation.ts';
import { learnt } from './learning.ts';
import { learntLoss } from './learnt-loss.ts';

/** The same with its last turn cut off. */
const cutOff = ({ turns, tools }: Conversation): Conversation => ({
  turns: turns.map((turn, i) => (i === turns.length - 1 ? { ...turn, unfinished: true } : turn)),
  tools,
});

const models: readonly (readonly [ChatTokenizer, string | null])[] = [
  ['qwen3', null],
  ['llama3_1', null],
  ['deepseek_v3', null],
  ['gptoss', 'gptoss'],
  ['llama2', 'mistral'],
  ['gpt2', null],
];

describe('an unfinished turn', () => {
  it.each(models)('%s: all that it says is learnt, and nothing that ends it', async (tokenizer, template) => {
    const encoder = await chatModel(tokenizer, template);
    const endsOfTurn = await encoder.endsOfTurn();
    await fc.assert(
      fc.asyncProperty(texts, texts, texts, async (asked, answered, last) => {
        const finished = conversation(
          says('user', asked),
          says('assistant', answered),
          says('user', asked),
          says('assistant', last),
        );
        const unfinished = cutOff(finished);
        const tokens = await encoded(encoder, unfinished);
        // The model reads the same: what it says there about the end of the turn is not asked for.
        expect(tokens).toEqual(await encoded(encoder, finished));
        const { ids, starts } = tokens;
        const end = turnPlaces(finished).at(-1)!.end;
        const [whole, cut] = [learnt(finished, tokens)!, learnt(unfinished, tokens)!];
        for (let i = 0; i < ids.length; i++) expect(cut[i]).toBe(starts[i] >= end ? 0 : whole[i]);
        const endOfTurn = ids.findLastIndex((id, i) => endsOfTurn.includes(id) && starts[i] === end);
        expect([whole[endOfTurn], cut[endOfTurn]]).toEqual([1, 0]);
        const sums = (content: Conversation) =>
          learntLoss(
            content,
            tokens,
            Float32Array.from(ids, (_, i) => Number(i === endOfTurn)),
          );
        expect([sums(finished).crossEntropy, sums(unfinished).crossEntropy]).toEqual([1, 0]);
        expect(sums(unfinished).predictedTokens).toBeLessThan(sums(finished).predictedTokens);
      }),
      { numRuns: 25 },
    );
  });

  it.each<[ChatTokenizer]>([['llama3_1'], ['llama2'], ['gpt2']])(
    '%s: a completion of a text gets the end-of-text token only where it is finished',
    async (tokenizer) => {
      const encoder = await chatModel(tokenizer);
      const endOfText = encoder.template.format.specialTokens.eos_token!;
      await fc.assert(
        fc.asyncProperty(texts, texts, async (prompt, completion) => {
          const finished = conversation(says('', prompt), says('', completion, true));
          const [whole, cut] = [await encoded(encoder, finished), await encoded(encoder, cutOff(finished))];
          expect(whole.ids.slice(0, -1)).toEqual(cut.ids);
          expect(encoder.tokenizer.tokenString(whole.ids.at(-1)!)).toBe(endOfText);
          expect(learnt(finished, whole)!.at(-1)).toBe(1);
          expect(learnt(finished, whole)!.slice(0, -1)).toEqual(learnt(cutOff(finished), cut));
        }),
        { numRuns: 25 },
      );
    },
  );
});
