import { beforeAll, expect, it } from 'vitest';
import type { Conversation } from '../model/chat/conversation.ts';
import { zooEncoder } from '../test/support/zoo-encoder.ts';
import { type CutSettings, cutContent } from './cut-content.ts';

const refusing = `{% if messages[0].role == 'system' %}{{ raise_exception('System role not supported') }}{% endif %}
{%- for message in messages %}{{ message.content }}</s>{% endfor %}`;

let settings: CutSettings;
beforeAll(async () => {
  settings = {
    encoders: [await zooEncoder('orator'), await zooEncoder('novelist', refusing)],
    contextLength: 32,
  };
});

const conversation = (...roles: string[]): Conversation => ({
  turns: roles.map((role) => ({
    role,
    content: 'Call me Ishmael.',
    learnt: role === 'assistant',
    extras: '',
  })),
  tools: '',
});
const place = 'a.jsonl:7';

it('cuts a text as before, all of which is learnt', async () => {
  const content = 'Some years ago I went to sea. '.repeat(9);
  const { pieces, skipped } = await cutContent({ content, place }, settings, undefined);
  expect(pieces.length).toBeGreaterThan(1);
  expect(pieces.map((piece) => piece.content).join('')).toBe(content);
  expect(pieces.reduce((sum, { bytes }) => sum + bytes, 0)).toBe(content.length);
  for (const { tokens, learnt } of pieces) expect(learnt).toEqual(tokens);
  expect(skipped).toEqual([]);
});

it('tells of what place it left something out', async () => {
  const content = conversation('user');
  expect(await cutContent({ content, place }, settings, 'refuse')).toEqual({
    pieces: [],
    skipped: [{ place, problem: 'nothing learnt' }],
  });
});

it('refuses what a template does not take, or leaves it out, with what the template says', async () => {
  const content = conversation('system', 'user', 'assistant');
  await expect(cutContent({ content, place }, settings, undefined)).rejects.toMatchObject({
    code: 'invalid_argument',
    message: expect.stringMatching(/^a\.jsonl:7 .* novelist .*System role not supported: .*invalid: skip/),
  });
  expect(await cutContent({ content, place }, settings, 'skip')).toMatchObject({
    pieces: [],
    skipped: [
      { place, problem: 'refused by a chat template', reason: expect.stringContaining('System role') },
    ],
  });
});
