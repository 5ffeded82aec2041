import { describe, expect, it } from 'vitest';
import { beginning, type Row } from './row.ts';
import { type ContentOptions, rowContent } from './row-content.ts';

const row = (value: unknown): Row => ({ place: 'a.jsonl:1', after: beginning, value });
const read = (value: unknown, options: ContentOptions = {}) => rowContent(row(value), options);
const user = { role: 'user', content: 'Who goes there?' };
const assistant = { role: 'assistant', content: 'A friend.' };
const turn = (role: string, content: string, learnt = false, extras = '') => ({
  role,
  content,
  learnt,
  extras,
});
const userTurn = turn('user', 'Who goes there?');
const answer = turn('assistant', 'A friend.', true);

describe('a row', () => {
  it('is messages, a prompt with its completion, or a text, whichever is there first', () => {
    const conversation = { content: { turns: [userTurn, answer], tools: '' } };
    expect(read({ id: 3, messages: [user, assistant], prompt: 'Who goes there?', text: 'a' })).toEqual(
      conversation,
    );
    expect(read({ prompt: [user], completion: [assistant] })).toEqual(conversation);
    expect(read({ prompt: 'The sky is', completion: ' blue.', text: 'a' })).toEqual({
      content: { turns: [turn('', 'The sky is'), turn('', ' blue.', true)], tools: '' },
    });
    expect(read({ prompt: 'a', text: 'The sky is blue.' })).toEqual({ content: 'The sky is blue.' });
    const shareGpt = [
      { from: 'human', value: 'Who goes there?' },
      { from: 'gpt', value: 'A friend.' },
    ];
    expect(read({ conversations: shareGpt })).toEqual(conversation);
  });

  it('is what its column holds where one is named', () => {
    const both = { messages: [user], text: 'a', body: 'b', chat: [user, assistant] };
    expect(read(both, { column: 'text' })).toEqual({ content: 'a' });
    expect(read(both, { column: 'body' })).toEqual({ content: 'b' });
    expect(read(both, { column: 'chat' })).toMatchObject({ content: { turns: [userTurn, answer] } });
    expect(read({ text: [user] }, { column: 'text' })).toMatchObject({ content: { turns: [userTurn] } });
    expect(read(both, { column: 'none' })).toEqual({ problem: 'no such column' });
  });

  it('keeps what else a message has for the template, and tools as a list or a string', () => {
    const call = { type: 'function', function: { name: 'weather', arguments: { city: 'Rīga' } } };
    const tools = [{ type: 'function', function: { name: 'weather', parameters: {} } }];
    const messages = [
      { role: 'assistant', content: null, tool_calls: [call], name: null },
      {
        role: 'tool',
        content: [
          { type: 'text', text: '8' },
          { type: 'text', text: ' °C' },
        ],
        name: 'weather',
      },
    ];
    const expected = {
      content: {
        turns: [
          turn('assistant', '', true, JSON.stringify({ tool_calls: [call] })),
          turn('tool', '8 °C', false, '{"name":"weather"}'),
        ],
        tools: JSON.stringify(tools),
      },
    };
    expect(read({ messages, tools })).toEqual(expected);
    expect(read({ messages, tools: JSON.stringify(tools) })).toEqual(expected);
    for (const none of [null, [], ''])
      expect(read({ messages, tools: none })).toMatchObject({ content: { tools: '' } });
  });

  it.each([
    [{ messages: null }, 'null', 'messages'],
    [{ messages: 'hello' }, 'no messages', 'messages'],
    [{ messages: [] }, 'empty', 'messages'],
    [{ messages: [user, 'hello'] }, 'no messages', 'messages[1]'],
    [{ messages: [{ content: 'hello' }] }, 'no role', 'messages[0]'],
    [{ messages: [{ role: '', content: 'hello' }] }, 'no role', 'messages[0]'],
    [{ messages: [{ role: 'user' }] }, 'no content', 'messages[0]'],
    [{ messages: [{ role: 'user', content: null }] }, 'no content', 'messages[0]'],
    [{ messages: [{ role: 'user', content: [{ type: 'image' }] }] }, 'no content', 'messages[0]'],
    [{ messages: [user, { role: 'assistant', content: '\ud83d' }] }, 'half a character', 'messages[1]'],
    [{ messages: [{ ...user, name: '\ude00' }] }, 'half a character', 'messages[0]'],
    [{ messages: [user], tools: '{' }, 'no tools', undefined],
    [{ messages: [user], tools: { a: 1 } }, 'no tools', undefined],
    [
      { messages: [user], chat_template_kwargs: { enable_thinking: false } },
      'own settings for its template',
      undefined,
    ],
    [{ prompt: [user], completion: 'A friend.' }, 'not of one kind', undefined],
    [{ prompt: 'Who?', completion: null }, 'null', 'completion'],
    [{ prompt: 'Who?', completion: '' }, 'empty', 'completion'],
    [{ prompt: 3, completion: 'b' }, 'no string', 'prompt'],
    [{ prompt: [user], completion: [{ role: 'assistant' }] }, 'no content', 'completion[0]'],
    [{ text: 7 }, 'no string', undefined],
    [[], 'no object', undefined],
    [{}, 'no such column', undefined],
  ])('is refused: %j', (value, problem, at) => {
    expect(read(value)).toEqual(at === undefined ? { problem } : { problem, at });
  });

  it('takes what looks like an escape for what it is', () => {
    expect(read({ messages: [{ ...user, name: 'C:\\ud83d' }] })).toMatchObject({
      content: { turns: [{ extras: '{"name":"C:\\\\ud83d"}' }] },
    });
  });
});

it('refuses a number that templates would write otherwise, where they write it', () => {
  const tool = (maximum: string) => `[{"name": "dim 1.0", "maximum": ${maximum}}]`;
  const readJson = (json: string) =>
    rowContent({ place: 'a.jsonl:1', after: beginning, value: JSON.parse(json), json }, {});
  const messages = JSON.stringify([user]);
  expect(readJson(`{"messages": ${messages}, "tools": ${tool('1.0')}}`)).toEqual({
    problem: 'a number that would be another',
    at: '1.0',
  });
  for (const fine of ['1', '1.5', '-3', '"1.0"']) {
    expect(readJson(`{"score": 7.0, "messages": ${messages}, "tools": ${tool(fine)}}`)).toHaveProperty(
      'content',
    );
  }
  expect(readJson(`{"score": 7.0, "messages": ${messages}}`)).toHaveProperty('content');
  // A string is passed on as it is.
  expect(read({ messages: [user], tools: tool('1.0') })).toMatchObject({ content: { tools: tool('1.0') } });
});

describe('learn', () => {
  const system = { role: 'system', content: 'Be brief.' };
  const learntOf = (value: unknown, learn?: ContentOptions['learn']) => {
    const found = read(value, { learn });
    if (!('content' in found) || typeof found.content === 'string') throw new Error('no conversation');
    return found.content.turns.map(({ learnt }) => learnt);
  };

  it('decides what is learnt', () => {
    const messages = [system, user, assistant];
    expect(learntOf({ messages })).toEqual([false, false, true]);
    expect(learntOf({ messages }, 'assistant')).toEqual([false, false, true]);
    expect(learntOf({ messages }, 'all')).toEqual([true, true, true]);
    const completed = { prompt: [user, assistant, user], completion: [assistant, user] };
    expect(learntOf(completed)).toEqual([false, false, false, true, true]);
    expect(learntOf(completed, 'assistant')).toEqual([false, true, false, true, false]);
    expect(learntOf(completed, 'all')).toEqual([true, true, true, true, true]);
    const words = { prompt: 'a', completion: 'b' };
    expect(learntOf(words)).toEqual([false, true]);
    expect(learntOf(words, 'all')).toEqual([true, true]);
    expect(read({ text: 'a' }, { learn: 'all' })).toEqual({ content: 'a' });
  });

  it.each([
    [
      { messages: [user] },
      'completion',
      'messages, which have no completion: leave learn out, or set it to assistant or all.',
    ],
    [
      { prompt: 'a', completion: 'b' },
      'assistant',
      'no assistant speaks: leave learn out, or set it to completion or all.',
    ],
    [{ text: 'a' }, 'assistant', 'a text, in which nobody speaks: leave learn out, or set it to all.'],
    [{ text: 'a' }, 'completion', 'learn is completion, but a.jsonl:1 is a text'],
  ] as const)('is refused where a row has no such thing: %j, %s', (value, learn, message) => {
    expect(() => read(value, { learn })).toThrow(message);
  });
});
