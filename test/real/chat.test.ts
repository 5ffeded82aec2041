import { join } from 'node:path';
import { expect, it } from 'vitest';
import { ChatTemplate } from '../../model/chat/chat-template.ts';
import { ContentEncoder } from '../../model/chat/content-encoder.ts';
import { learnt } from '../../model/chat/learning.ts';
import { Tokenizer } from '../../model/tokenizer/tokenizer.ts';
import { encoded } from '../support/chat-models.ts';
import { digestOfIds, goldenChat, goldenConversation, maskOf } from '../support/golden-chat.ts';

const smollm2 = join(import.meta.dirname, '../../models/smollm2-135m-instruct');

it("reads conversations as SmolLM2's ChatML in transformers does, and learns completions as TRL does", async () => {
  const tokenizer = await Tokenizer.fromFile(join(smollm2, 'tokenizer.json'));
  const encoder = new ContentEncoder(tokenizer, await ChatTemplate.fromDirectory(smollm2));
  const end = (await encoder.endOfTurn())!;
  expect(tokenizer.tokenString(end)).toBe('<|im_end|>');
  const results = goldenChat.results.filter(({ model }) => model === 'smollm2');
  expect(results.length).toBeGreaterThan(10);
  for (const { conversation, ids, tokens, completion } of results) {
    const content = goldenConversation(conversation, 'last');
    const tokenization = await encoded(encoder, content);
    expect([conversation, digestOfIds(tokenization.ids)]).toEqual([conversation, ids]);
    if (completion === undefined) continue;
    const last = tokenization.ids.lastIndexOf(end);
    const theirs = maskOf(tokens, completion).map((mask, i) => (i > last ? 0 : mask));
    expect([conversation, ...learnt(content, tokenization)!]).toEqual([conversation, ...theirs]);
  }
});
