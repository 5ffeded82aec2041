import { expect, it } from 'vitest';
import { conversation, says } from '../../test/support/chat-models.ts';
import { learnt } from './learning.ts';

/** Tokens by their spans: "from-to". */
const spans = (...tokens: string[]) => ({
  starts: Int32Array.from(tokens, (token) => Number(token.split('-')[0])),
  ends: Int32Array.from(tokens, (token) => Number(token.split('-')[1])),
});

it('learns what is said in learnt turns, what the model puts around it, and what ends it', () => {
  // H Hi E H Yes E H, at 0, 1–3, 3, 4, 5–8, 8, 9.
  const content = conversation(says('user', 'Hi'), says('assistant', 'Yes'));
  const user = spans('0-1', '0-1', '1-3', '3-4', '4-5');
  const assistant = spans('5-5', '5-7', '7-8', '8-8', '8-9', '9-10');
  const all = {
    starts: Int32Array.from([...user.starts, ...assistant.starts]),
    ends: Int32Array.from([...user.ends, ...assistant.ends]),
  };
  expect(Array.from(learnt(content, all)!)).toEqual([0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 0]);
  const everything = { ...content, turns: content.turns.map((turn) => ({ ...turn, learnt: true })) };
  expect(Array.from(learnt(everything, all)!)).toEqual([0, 0, 1, 1, 0, 1, 1, 1, 1, 1, 0]);
});

it('learns no token that begins in a turn which is not learnt', () => {
  const content = conversation(says('', 'ab'), says('', 'cd', true));
  expect(Array.from(learnt(content, spans('0-1', '1-2', '2-6', '6-7', '7-8'))!)).toEqual([0, 0, 0, 1, 1]);
});
