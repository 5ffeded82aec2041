import fc from 'fast-check';
import { beforeAll, expect, it } from 'vitest';
import type { ContentEncoder } from '../model/chat/content-encoder.ts';
import type { Content, Turn } from '../model/chat/conversation.ts';
import { zooEncoder } from '../test/support/zoo-encoder.ts';
import { cutConversation } from './cut-conversation.ts';

/** Refuses whoever speaks twice, as several real ones do. */
const strict = `{%- set offset = 1 if messages[0].role == 'system' else 0 %}
{%- for message in messages %}
{%- if loop.index0 >= offset and (message.role == 'user') != ((loop.index0 - offset) % 2 == 0) %}{{ raise_exception('roles must alternate') }}{% endif %}
{{- '<' + message.role + '>' + message.content + eos_token }}
{%- endfor %}{% if add_generation_prompt %}<assistant>{% endif %}`;
const free = `{{ bos_token }}{% for message in messages %}[{{ message.role }}] {{ message.content }}</s>
{% endfor %}{% if add_generation_prompt %}[assistant] {% endif %}`;

let encoders: ContentEncoder[];
beforeAll(async () => {
  encoders = [
    await zooEncoder('orator', strict),
    await zooEncoder('novelist', free),
    await zooEncoder('target'),
  ];
});

const say = (role: string, content: string, learnt = role === 'assistant'): Turn => ({
  role,
  content,
  learnt,
  extras: '',
});
const turnsOf = (content: Content): readonly Turn[] => (typeof content === 'string' ? [] : content.turns);
const spoken = ({ role, content }: Turn): string => `${role}: ${content}`;

const words = fc.array(fc.constantFrom('the', 'sea', 'of', 'Größe', '東京', '🐋', 'war', 'and\n'), {
  maxLength: 12,
});
const exchange = fc
  .tuple(words, words)
  .map(([asked, said]) => [say('user', asked.join(' ')), say('assistant', said.join(' '))]);
const conversations = fc
  .tuple(fc.boolean(), fc.array(exchange, { minLength: 1, maxLength: 12 }))
  .map(([isLed, exchanges]) => ({
    turns: [...(isLed ? [say('system', 'Speak of the sea.')] : []), ...exchanges.flat()],
    tools: '',
  }));

it('every exchange that fits is in one piece, in order, behind the system message, and no piece is too long', async () => {
  await fc.assert(
    fc.asyncProperty(
      conversations,
      fc.integer({ min: 40, max: 120 }),
      async (conversation, contextLength) => {
        const { pieces, problems } = await cutConversation(conversation, encoders, contextLength);
        const isLed = conversation.turns[0].role === 'system';
        const said: string[] = [];
        for (const { content, tokens, learnt, bytes } of pieces) {
          const encoded = await Promise.all(
            encoders.map(async (encoder) => (await encoder.encodeBatch([content]))[0]),
          );
          expect(tokens).toEqual(encoded.map(({ ids }) => ids.length));
          expect(Math.max(...tokens)).toBeLessThanOrEqual(contextLength);
          for (const [i, count] of learnt.entries()) expect(count).toBeLessThan(tokens[i]);
          const turns = turnsOf(content);
          expect(bytes).toBe(Buffer.byteLength(turns.map((turn) => turn.content).join('')));
          const rest = isLed ? turns.slice(1) : turns;
          if (isLed) expect(spoken(turns[0])).toBe(spoken(conversation.turns[0]));
          expect(rest[0].role).toBe('user');
          expect(rest.at(-1)?.role).toBe('assistant');
          said.push(...rest.map(spoken));
        }
        const all = conversation.turns.slice(isLed ? 1 : 0).map(spoken);
        // What is left out is an exchange too long by itself.
        expect(said.length + 2 * problems.length).toBe(all.length);
        let at = 0;
        for (const each of said) {
          at = all.indexOf(each, at);
          expect(at).not.toBe(-1);
          at++;
        }
      },
    ),
    { numRuns: 40 },
  );
});

it('keeps what fits whole', async () => {
  const conversation = { turns: [say('user', 'Whale?'), say('assistant', 'Whale.')], tools: '' };
  const { pieces, problems } = await cutConversation(conversation, encoders, 64);
  expect(pieces.map(({ content }) => content)).toEqual([conversation]);
  expect(problems).toEqual([]);
});

it('learns a system message once, and keeps what belongs together', async () => {
  const turns = [
    say('system', 'Speak of the sea.', true),
    say('user', 'First, and who are you?', true),
    say('user', 'Second?', true),
    say('assistant', 'The captain of the ship.', true),
    say('tool', 'A storm comes.', true),
    say('assistant', 'And I see it.', true),
    say('user', 'Third, and where do we go?', true),
    say('assistant', 'Round the world.', true),
  ];
  const { pieces } = await cutConversation({ turns, tools: '' }, encoders.slice(1), 90);
  expect(pieces.map(({ content }) => turnsOf(content).map(({ role }) => role))).toEqual([
    ['system', 'user', 'user', 'assistant', 'tool', 'assistant'],
    ['system', 'user', 'assistant'],
  ]);
  expect(pieces.map(({ content }) => turnsOf(content)[0].learnt)).toEqual([true, false]);
});

it('tells what is too long by itself, and what has nothing to learn', async () => {
  const long = 'the sea '.repeat(60);
  const few = [say('user', 'Whale?'), say('assistant', 'Whale.')];
  const cut = async (turns: Turn[]) => {
    const { pieces, problems } = await cutConversation({ turns, tools: '' }, encoders, 64);
    return { pieces: pieces.map(({ content }) => turnsOf(content).map(spoken)), problems };
  };
  const kept = few.map(spoken);
  expect(await cut([...few, say('user', long), say('assistant', 'No.'), ...few])).toEqual({
    pieces: [kept, kept],
    problems: ['too long'],
  });
  expect(await cut([say('system', long), ...few])).toEqual({ pieces: [], problems: ['too long'] });
  expect(await cut([say('system', long)])).toEqual({ pieces: [], problems: ['too long'] });
  expect(await cut([say('', long), say('', 'the end', true)])).toEqual({
    pieces: [],
    problems: ['too long'],
  });
  expect(await cut([few[0]])).toEqual({ pieces: [], problems: ['nothing learnt'] });
  const unlearnt = [say('user', long.slice(0, 80)), say('assistant', 'No.', false)];
  expect((await cut([...unlearnt, ...unlearnt, ...few])).problems).toContain('nothing learnt');
});

it('passes on what a template says of a conversation that it does not take', async () => {
  await expect(
    cutConversation({ turns: [say('user', 'a'), say('user', 'b')], tools: '' }, encoders, 64),
  ).rejects.toMatchObject({
    code: 'invalid_argument',
    message: expect.stringContaining('roles must alternate'),
  });
});
