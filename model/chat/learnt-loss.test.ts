import { expect, it } from 'vitest';
import { zooEncoder } from '../../test/support/zoo-encoder.ts';
import { learntLoss } from './learnt-loss.ts';

const template = `{% for message in messages %}[{{ message.role }}]{{ message.content }}</s>{% endfor %}
{%- if add_generation_prompt %}[assistant]{% endif %}`;
const say = (role: string, content: string) => ({
  role,
  content,
  learnt: role === 'assistant',
  extras: '',
});

it('is that of what assistants say and of the end of their turns', async () => {
  const encoder = await zooEncoder('novelist', template);
  const turns = [say('user', 'Whale?'), say('assistant', 'Größe'), say('user', 'Why?'), say('assistant', '')];
  const content = { turns, tools: '' };
  const [tokenization] = await encoder.encodeBatch([content]);
  const ofAnswer = (await encoder.tokenizer.encodeBatch(['Größe']))[0].ids.length - 1;
  const losses = new Float32Array(tokenization.ids.length).fill(0.5);
  const loss = learntLoss(content, tokenization, losses);
  // The tokens of the answer may be others behind a bracket; both turns end with one.
  expect(loss.predictedTokens).toBeGreaterThanOrEqual(3);
  expect(loss.predictedTokens).toBeLessThanOrEqual(ofAnswer + 3);
  expect(loss.predictedBytes).toBe(Buffer.byteLength('Größe') + 2);
  expect(loss.crossEntropy).toBe(0.5 * loss.predictedTokens);
});

it('is that of all tokens of a text but the first', async () => {
  const encoder = await zooEncoder('orator');
  const [tokenization] = await encoder.encodeBatch(['We meet again.']);
  const { ids, ends } = tokenization;
  expect(learntLoss('We meet again.', tokenization, new Float32Array(ids.length).fill(1))).toEqual({
    crossEntropy: ids.length - 1,
    predictedTokens: ids.length - 1,
    predictedBytes: ends[ids.length - 1] - ends[0],
  });
});
