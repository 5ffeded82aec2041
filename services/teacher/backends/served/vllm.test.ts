import { expect, it } from 'vitest';
import { vllm } from './vllm.ts';

const question = { ids: Int32Array.of(7, 300, 2), topK: 2 };
const entry = (logprob: number, rank: number) => ({ logprob, rank, decoded_token: 'Ġ"x' });
const rows = () => [
  null,
  { 300: entry(-4, 9), 5: entry(-0.5, 1), 1: entry(-1.5, 2) },
  { 2: entry(-2, 2), 8: entry(-0.25, 1) },
];
const generated = () => ({
  tokens: ['token_id:6'],
  top_logprobs: [{ 'token_id:4': -3, 'token_id:6': -0.125, 'token_id:9': -9.5 }],
});
const answer = (change: { rows?: unknown; logprobs?: unknown } = {}) =>
  Buffer.from(
    JSON.stringify({
      id: 'x',
      choices: [
        { text: ']}', logprobs: change.logprobs ?? generated(), prompt_logprobs: change.rows ?? rows() },
      ],
      usage: { prompt_tokens: 3 },
    }),
  );

it('asks for raw rows by ids', () => {
  expect(JSON.parse(vllm.scoreBody(question, 'model'))).toMatchObject({
    model: 'model',
    prompt: [7, 300, 2],
    max_tokens: 1,
    prompt_logprobs: 2,
    logprobs: 2,
    temperature: 1,
    top_p: 1,
    top_k: -1,
    repetition_penalty: 1,
  });
});

it('takes each row by rank for the token before it, and the actual token from beside the k', () => {
  const { candidateIds, logProbabilities, tokenLogProbabilities } = vllm.readScore(answer(), question);
  expect([...candidateIds]).toEqual([5, 1, 8, 2, 6, 4]);
  expect([...logProbabilities]).toEqual([-0.5, -1.5, -0.25, -2, -0.125, -3]);
  expect([...tokenLogProbabilities]).toEqual([0, -4, -2]);
});

it.each([
  ['rows for 3 tokens', { rows: rows().slice(0, 2) }],
  ['more rows than the 3 tokens', { rows: [...rows(), rows()[1]] }],
  ['predicts the first token', { rows: rows().slice(1) }],
  ['without a rank', { rows: [null, { 300: { logprob: -1 } }, rows()[2]] }],
  ['no top_logprobs', { logprobs: { top_logprobs: [] } }],
  ['1 candidates instead of 2', { logprobs: { top_logprobs: [{ 'token_id:4': -3 }] } }],
] as const)('refuses an answer: %s', (reason, change) => {
  expect(() => vllm.readScore(answer(change), question)).toThrow(reason);
});

it('refuses an answer that was cut off anywhere', () => {
  const whole = answer();
  for (let length = 0; length < whole.length; length++) {
    expect(() => vllm.readScore(whole.subarray(0, length), question)).toThrow('The answer');
  }
});

it('knows which refusals are of k, and which pass', () => {
  const tooMany =
    'Requested sample logprobs of 65, which is greater than max allowed: 64 (parameter=logprobs, value=65)';
  expect(vllm.refusesTopK(tooMany)).toBe(true);
  expect(vllm.topKAdvice(65)).toContain('--max-logprobs 65');
  expect(vllm.passes('Out of range float values are not JSON compliant: nan')).toBe(true);
  expect(vllm.passes('This model’s maximum context length is 2048 tokens')).toBe(false);
});
