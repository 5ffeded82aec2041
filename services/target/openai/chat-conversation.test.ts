import { expect, it } from 'vitest';
import { chatConversation } from './chat-conversation.ts';

const tools = [{ type: 'function' as const, function: { name: 'look', parameters: { type: 'object' } } }];
const everything = () => true;
const call = (text: string) => ({
  role: 'assistant' as const,
  content: null,
  tool_calls: [{ id: 'call1', type: 'function' as const, function: { name: 'look', arguments: text } }],
});

it('gives templates what they read beside role and content', () => {
  const { turns, tools: offered } = chatConversation(
    {
      messages: [
        { role: 'developer', content: 'Be short.' },
        {
          role: 'user',
          content: [
            { type: 'text', text: 'Look ' },
            { type: 'text', text: 'there.' },
          ],
          name: 'ann',
        },
        call('{"at": "it"}'),
        { role: 'tool', content: 'A cat.', tool_call_id: 'call1' },
      ],
      tools,
    },
    (word) => word === 'tools',
  );
  expect(turns.map(({ role, content }) => [role, content])).toEqual([
    ['system', 'Be short.'],
    ['user', 'Look there.'],
    ['assistant', ''],
    ['tool', 'A cat.'],
  ]);
  const extras = turns.map((turn) => (turn.extras === '' ? undefined : JSON.parse(turn.extras)));
  expect(extras).toEqual([
    undefined,
    { name: 'ann' },
    { tool_calls: [{ id: 'call1', type: 'function', function: { name: 'look', arguments: { at: 'it' } } }] },
    { tool_call_id: 'call1' },
  ]);
  expect(JSON.parse(offered)).toEqual(tools);
});

it('offers no tools where they are not to be called, and refuses what a template has no place for', () => {
  const messages = [{ role: 'user' as const, content: 'Look.' }];
  expect(chatConversation({ messages, tools, tool_choice: 'none' }, () => false).tools).toBe('');
  expect(() => chatConversation({ messages, tools }, () => false)).toThrow('no place for them');
  expect(() => chatConversation({ messages: [call('{')] }, everything)).toThrow('arguments is no JSON');
});
