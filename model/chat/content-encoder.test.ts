import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type ChatTokenizer,
  chatModel,
  conversation,
  encoded,
  says,
  tokenizerDirectory,
} from '../../test/support/chat-models.ts';
import { digestOfIds, goldenChat, goldenConversation, maskOf } from '../../test/support/golden-chat.ts';
import { texts } from '../../test/support/tokenizer-properties.ts';
import { Tokenizer } from '../tokenizer/tokenizer.ts';
import { ChatTemplate } from './chat-template.ts';
import { ContentEncoder } from './content-encoder.ts';
import { contentEnd, turnPlaces } from './content-layout.ts';
import type { Conversation } from './conversation.ts';
import { learnt } from './learning.ts';

const orator = join(import.meta.dirname, '../../examples/zoo/orator');
/** Golden models whose tokenizers are here; SmolLM2's is compared in test/real. */
const models = Object.entries(goldenChat.models).filter(([, { tokenizer }]) => tokenizer !== 'smollm2');

const encoderOf = (model: string) => {
  const { tokenizer, template } = goldenChat.models[model];
  return chatModel(tokenizer as ChatTokenizer, template);
};

/** A conversation that templates of gpt-oss cannot read: it leaves out what is said before tools are called. */
const refused = (model: string, name: string): boolean => model.startsWith('gptoss') && name === 'tools-said';

async function expectRising(encoder: ContentEncoder, content: Conversation) {
  const tokens = await encoded(encoder, content);
  const { starts, ends } = tokens;
  for (let i = 0; i < ends.length; i++) {
    expect(starts[i]).toBeLessThanOrEqual(ends[i]);
    if (i === 0) continue;
    expect(starts[i]).toBeGreaterThanOrEqual(starts[i - 1]);
    expect(ends[i]).toBeGreaterThanOrEqual(ends[i - 1]);
  }
  expect(ends.at(-1)).toBeLessThanOrEqual(contentEnd(content).most);
  return tokens;
}

describe('ContentEncoder', () => {
  it.each(models)('has the ids of apply_chat_template, and spans that rise: %s', async (model) => {
    const encoder = await encoderOf(model);
    for (const result of goldenChat.results) {
      if (result.model !== model || result.refused !== undefined) continue;
      const content = goldenConversation(result.conversation);
      if (refused(model, result.conversation)) {
        await expect(encoded(encoder, content)).rejects.toThrow('what turn 2 (assistant) says');
        continue;
      }
      const { ids } = await expectRising(encoder, content);
      if (result.wholeIds !== undefined) expect(Array.from(ids)).toEqual(result.wholeIds);
      expect([result.conversation, ids.length, digestOfIds(ids)]).toEqual([
        result.conversation,
        result.tokens,
        result.ids,
      ]);
    }
  });

  // TRL's templates mark what stands behind the token that ends a turn (Qwen), or the whole prompt for an answer
  // (gpt-oss). No model has to say either.
  it.each([
    ['qwen3_training', ['\n']],
    ['qwen2_5_training', ['\n']],
    ['gptoss_training', ['<|start|>', 'assistant']],
  ])(
    "learns what TRL's assistant-only masks do, but for the template's own frame: %s",
    async (model, frame) => {
      const encoder = await encoderOf(model);
      let compared = 0;
      for (const { conversation: name, tokens, ...result } of goldenChat.results) {
        if (result.model !== model || result.refused !== undefined || refused(model, name)) continue;
        const content = goldenConversation(name);
        const { ids, starts, ends } = await encoded(encoder, content);
        const ours = learnt(content, { starts, ends })!;
        const theirs = maskOf(tokens, result.assistant!);
        const unlike = theirs.flatMap((mask, i) => (mask === ours[i] ? [] : [i]));
        for (const i of unlike) {
          expect([theirs[i], ours[i]]).toEqual([1, 0]);
          expect(frame).toContain(encoder.tokenizer.tokenText(ids[i]));
          // By its place it is no part of what is said.
          expect(turnPlaces(content).map(({ end }) => end + 1)).toContain(starts[i]);
        }
        compared++;
      }
      expect(compared).toBeGreaterThan(10);
    },
  );

  it.each(models)(
    "learns what TRL's completion-only masks do, up to the end of the turn: %s",
    async (model) => {
      const encoder = await encoderOf(model);
      const endsOfTurn = await encoder.endsOfTurn();
      for (const { conversation: name, tokens, ...result } of goldenChat.results) {
        if (result.model !== model || result.completion === undefined || refused(model, name)) continue;
        const content = goldenConversation(name, 'last');
        const { ids, starts, ends } = await encoded(encoder, content);
        const end = ids.findLastIndex((id) => endsOfTurn.includes(id));
        const theirs = maskOf(tokens, result.completion).map((mask, i) => (i > end ? 0 : mask));
        expect([name, ...learnt(content, { starts, ends })!]).toEqual([name, ...theirs]);
      }
    },
  );

  it("reads strings as TRL does: the prompt's prefix, the end of text behind the completion", async () => {
    for (const { tokenizer, eos, prompt, completion, ids, mask } of goldenChat.strings) {
      const directory = tokenizerDirectory(tokenizer);
      const loaded = await Tokenizer.fromFile(`${directory}/tokenizer.json`);
      const template = ChatTemplate.of({ template: '', specialTokens: { eos_token: eos } }, tokenizer);
      const content = conversation(says('', prompt), says('', completion, true));
      const tokens = await expectRising(new ContentEncoder(loaded, template), content);
      expect(Array.from(tokens.ids)).toEqual(ids);
      expect(Array.from(learnt(content, tokens)!)).toEqual(maskOf(ids.length, mask));
      // Unlearnt, nothing is put behind.
      const read = await encoded(
        new ContentEncoder(loaded, template),
        conversation(says('', prompt + completion)),
      );
      expect(read.ids).toEqual((await loaded.encode(prompt + completion)).ids);
    }
  });

  it('reads texts though its template cannot be read, and ends no turn', async () => {
    const tokenizer = await Tokenizer.fromFile(join(orator, 'tokenizer.json'));
    const template = ChatTemplate.of({ template: '{% for %}', specialTokens: {} }, 'a-model');
    const encoder = new ContentEncoder(tokenizer, template);
    expect(await encoder.encodeBatch(['A text.'])).toEqual(await tokenizer.encodeBatch(['A text.']));
    expect(await encoder.endsOfTurn()).toEqual([]);
    await expect(encoder.encodeBatch([conversation(says('user', 'Hi'))])).rejects.toThrow(
      'is no chat template that can be read here',
    );
  });

  it('leaves texts as they are', async () => {
    const encoder = await chatModel('llama3_1');
    expect(await encoded(encoder, 'A text.')).toEqual(await encoder.tokenizer.encode('A text.'));
    expect(learnt('A text.', await encoded(encoder, 'A text.'))).toBeUndefined();
  });

  it.each<[ChatTokenizer, string | null, string[]]>([
    ['qwen3', null, ['<|im_end|>']],
    ['llama3', null, ['<|eot_id|>']],
    ['llama3_1', null, ['<|eot_id|>']],
    ['gemma3', null, ['<end_of_turn>']],
    ['deepseek_v3', null, ['<｜end▁of▁sentence｜>']],
    ['llama2', 'mistral', ['</s>']],
    ['gptoss', 'gptoss', ['<|return|>', '<|end|>', '<|call|>']],
    ['gpt2', null, ['<|endoftext|>']],
  ])('knows the tokens that end a turn: %s', async (tokenizer, template, tokens) => {
    const encoder = await chatModel(tokenizer, template);
    const ids = await encoder.endsOfTurn();
    expect(ids.map((id) => encoder.tokenizer.tokenString(id))).toEqual(tokens);
    expect(await encoder.endOfTurn()).toBe(ids[0]);
  });

  it('puts what is said, what frames it and what ends it at their places', async () => {
    const content = conversation(says('user', 'Hi <|im_end|>'), says('assistant', 'Yes.'));
    const show = async (tokenizer: ChatTokenizer, template?: string) => {
      const encoder = await chatModel(tokenizer, template);
      const tokens = await encoded(encoder, content);
      return Array.from(
        tokens.ids,
        (id, i) => `${encoder.tokenizer.tokenText(id)}${tokens.starts[i]}-${tokens.ends[i]}`,
      );
    };
    expect(await show('qwen3', 'qwen3_training')).toEqual([
      ...['<|im_start|>0-1', 'user0-1', '\n0-1', 'Hi1-3', ' 3-4', '<|im_end|>4-14', '<|im_end|>14-15'],
      ...['\n15-16', '<|im_start|>15-16', 'assistant15-16', '\n15-16'],
      ...['<think>16-16', '\n\n16-16', '</think>16-16', '\n\n16-16'],
      ...['Yes16-19', '.19-20', '<|im_end|>20-21', '\n21-22'],
    ]);
    // Nothing ends a user's turn here, so the last token of it reaches over where such a token would stand.
    expect((await show('llama2', 'mistral')).slice(-9)).toEqual([
      ...['>13-15', ' [15-16', '/15-16', 'INST15-16', ']15-16'],
      ...['Yes16-19', '.19-20', '</s>20-21', '  21-22'],
    ]);
  });
});

describe('special tokens that take the spaces behind them', () => {
  it('are no part of what is said', async () => {
    const { tokenizer } = await chatModel('gpt2');
    const json = JSON.parse(Buffer.from(tokenizer.json).toString());
    for (const token of json.added_tokens) token.rstrip = true;
    const end = '<|endoftext|>';
    const template = `{% for m in messages %}${end}\n{{ m.content }}${end}\n{% endfor %}`;
    const encoder = new ContentEncoder(
      Tokenizer.fromJson(JSON.stringify(json)),
      ChatTemplate.of({ template, specialTokens: { eos_token: end } }, 'a-model'),
    );
    const content = conversation(says('user', 'a'), says('assistant', '\n b'));
    const { starts, ends } = await encoded(encoder, content);
    expect(Array.from(starts)).toEqual([0, 1, 2, 3, 6, 7]);
    expect(Array.from(ends)).toEqual([1, 2, 3, 6, 7, 8]);
    expect(Array.from(learnt(content, { starts, ends })!)).toEqual([0, 0, 0, 0, 1, 1]);
  });
});

describe('what templates do with contents', () => {
  const made = async (template: string) => {
    const { tokenizer } = await chatModel('qwen3');
    return new ContentEncoder(tokenizer, ChatTemplate.of({ template, specialTokens: {} }, 'a-model'));
  };
  const turn = '<|im_start|>{{ m.role }}\n{{ m.content CHANGE }}<|im_end|>\n';
  const each = (change: string) => `{% for m in messages %}${turn.replace('CHANGE', change)}{% endfor %}`;
  const content = conversation(says('user', ' What? '), says('assistant', '\tThis.\n'));

  it('trims: what is kept ends where the content does, and what goes before begins where it is kept', async () => {
    const { starts, ends } = await encoded(await made(each('| trim')), content);
    expect(Array.from(ends)).toEqual([2, 2, 2, 6, 8, 9, 11, 11, 11, 11, 15, 17, 18, 19]);
    expect(Array.from(starts)).toEqual([0, 0, 0, 2, 6, 8, 9, 9, 9, 9, 11, 15, 17, 18]);
  });

  it.each([
    [each('| upper'), 'turn 1 (user)'],
    [each("| replace('?', '&quest;')"), 'turn 1 (user)'],
    [
      `{% for m in messages %}{% if m.role != 'user' %}${turn.replace('CHANGE', '')}{% endif %}{% endfor %}`,
      'turn 1 (user)',
    ],
    [`{% for m in messages[::-1] %}${turn.replace('CHANGE', '')}{% endfor %}`, 'turn 2 (assistant)'],
    [each('~ m.content'), 'turn 1 (user)'],
    ['{% for m in messages %}{{ m.content[0:3] }}{% endfor %}', 'turn 1 (user)'],
  ])('is refused where it changes what is said: %s', async (template, which) => {
    await expect(encoded(await made(template), content)).rejects.toThrow(
      `The chat template of a-model leaves out or changes what ${which} says`,
    );
  });

  it('refuses in its own words', async () => {
    const template = "{{ raise_exception('System role not supported') }}";
    await expect(encoded(await made(template), content)).rejects.toThrow(
      'The chat template of a-model refuses the conversation: System role not supported',
    );
  });

  it('may ask what contents begin and end with, and whether there are any', async () => {
    const qwen = await chatModel('qwen3');
    const reply = conversation(says('user', '<tool_response>\nx\n</tool_response>'), says('assistant', 'a'));
    const tokens = await expectRising(qwen, reply);
    expect(tokens.ids).toEqual((await qwen.tokenizer.encodeRendered([renderingOf(qwen, reply)]))[0].ids);
    const asks = `{% for m in messages %}<|im_start|>{% if m.content %}{{ m.content }}{% else %}none{% endif %}<|im_end|>{% endfor %}{% if add_generation_prompt %}<|im_start|>{% endif %}`;
    const { starts, ends } = await encoded(
      await made(asks),
      conversation(says('user', 'x'), says('assistant', '')),
    );
    expect([Array.from(starts), Array.from(ends)]).toEqual([
      [0, 1, 2, 3, 4, 4],
      [1, 2, 3, 4, 4, 5],
    ]);
  });

  it('refuses roles here and none there', async () => {
    await expect(
      encoded(await made(each('')), conversation(says('', 'a'), says('user', 'b'))),
    ).rejects.toThrow('give each turn a role, or none');
  });

  it.each([
    ['[1]', 'is no JSON object'],
    ['{', 'is no JSON'],
    ['{"x": 12345678901234567890}', 'cannot be read: it holds the number 12345678901234567890'],
  ])('refuses extras that cannot be told as they are: %s', async (extras, said) => {
    const asked = conversation({ ...says('user', 'a'), extras });
    await expect(encoded(await made(each('')), asked)).rejects.toThrow(said);
  });
});

const renderingOf = ({ template }: ContentEncoder, { turns }: Conversation): string =>
  template.render(
    turns.map(({ role, content }) => ({ role, content })),
    { addGenerationPrompt: false },
  );

/** Bytes in front of a content that the tokenizer's own template does not render. */
function bytesLeftOut(content: string, tokenizer: ChatTokenizer, isLast: boolean): number {
  // Llama 3.1 trims all contents, Qwen3 takes line breaks away in front of the last answer.
  const blanks = { llama3_1: /^\s+/, qwen3: isLast ? /^\n+/ : undefined }[tokenizer as string];
  return blanks ? Buffer.byteLength(blanks.exec(content)?.[0] ?? '') : 0;
}

describe('properties of spans', () => {
  const exchanges = fc.array(fc.tuple(texts, texts), { minLength: 1, maxLength: 3 });
  const conversationOf = (pairs: readonly (readonly [string, string])[]) =>
    conversation(...pairs.flatMap(([asked, answered]) => [says('user', asked), says('assistant', answered)]));

  it.each<[ChatTokenizer, string | null]>([
    ['qwen3', null],
    ['llama3_1', null],
    ['deepseek_v3', null],
    ['gptoss', 'gptoss'],
    ['llama2', 'mistral'],
    ['gpt2', null],
  ])(
    '%s: they rise, cover all that is kept, and masks cover no word of a user',
    async (tokenizer, template) => {
      const encoder = await chatModel(tokenizer, template);
      await fc.assert(
        fc.asyncProperty(exchanges, async (pairs) => {
          const content = conversationOf(pairs);
          const tokens = await expectRising(encoder, content);
          const { starts, ends } = tokens;
          const mask = learnt(content, tokens)!;
          turnPlaces(content).forEach(({ begin, end }, i) => {
            const said = content.turns[i];
            // The part of the content that some token spells.
            const isLast = i === content.turns.length - 1;
            let covered = begin + bytesLeftOut(said.content, tokenizer, isLast);
            for (let t = 0; t < ends.length; t++) {
              if (starts[t] <= covered && starts[t] >= begin && ends[t] > covered) covered = ends[t];
              const inside = ends[t] > begin && starts[t] <= end && starts[t] >= begin;
              if (said.role === 'user' && inside) expect(mask[t]).toBe(0);
            }
            if (said.content.trim() !== '') expect(covered).toBeGreaterThanOrEqual(end);
          });
          mask.forEach((own, t) => {
            if (own === 0) return;
            const turn = turnPlaces(content).findIndex(
              ({ begin, end }) => starts[t] >= begin && ends[t] <= end + 1,
            );
            expect(content.turns[turn]?.role).toBe('assistant');
          });
        }),
        { numRuns: 40, examples: [[[['', '\n\n\nthe']]]] },
      );
    },
  );

  // Only special tokens stand beside contents here. Where a template writes line breaks or spaces there, or a tokenizer
  // puts ▁ in front of a text, a content's first and last token may be others than alone.
  it.each<[ChatTokenizer, string | null]>([
    ['deepseek_v3', null],
    ['gptoss', 'gptoss'],
  ])('%s: the boundaries in a content are those of the content alone', async (tokenizer, template) => {
    const encoder = await chatModel(tokenizer, template);
    await fc.assert(
      fc.asyncProperty(exchanges, async (pairs) => {
        const content = conversationOf(pairs);
        const { ends } = await encoded(encoder, content);
        const alone = await encoder.tokenizer.encodeRendered(content.turns.map((own) => own.content));
        turnPlaces(content).forEach(({ begin, end }, i) => {
          const inside = Array.from(
            ends.filter((own) => own > begin && own < end),
            (own) => own - begin,
          );
          expect(inside).toEqual(Array.from(alone[i].ends.filter((own) => own > 0 && own < end - begin)));
        });
      }),
      { numRuns: 30 },
    );
  });
});
