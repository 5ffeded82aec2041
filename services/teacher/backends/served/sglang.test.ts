import { expect, it } from 'vitest';
import { sglang } from './sglang.ts';

const question = { ids: Int32Array.of(7, 300, 2), topK: 2 };
const base64 = (values: Float32Array | Int32Array) => Buffer.from(values.buffer).toString('base64');
const flat = () => ({
  input_top_logprobs_shape: [3, 2],
  input_top_logprobs_null_prefix: 1,
  input_top_logprobs_val_flat_b64: base64(Float32Array.of(-0.5, -1.5, -0.25, -2)),
  input_top_logprobs_idx_flat_b64: base64(Int32Array.of(5, 1, 8, 2)),
  input_top_logprobs_val_flat_b64_dtype: 'float32',
  input_top_logprobs_idx_flat_b64_dtype: 'int32',
});
const nested = {
  input_top_logprobs: [
    null,
    [
      [-0.5, 5, null],
      [-1.5, 1, null],
    ],
    [
      [-0.25, 8, null],
      [-2, 2, null],
    ],
  ],
};
const tokens = [
  [null, 7, null],
  [-4, 300, null],
  [-2, 2, null],
];
const answer = (form: object, inputs: unknown = tokens) =>
  Buffer.from(
    JSON.stringify({
      text: 'x',
      meta_info: {
        input_token_logprobs: inputs,
        output_top_logprobs: [
          [
            [-0.125, 6, null],
            [-3, 4, null],
          ],
        ],
        ...form,
      },
    }),
  );

it.each([
  ['columns in base64', flat()],
  ['lists', nested],
])('takes rows from %s', (_, form) => {
  const { candidateIds, logProbabilities, tokenLogProbabilities } = sglang.readScore(answer(form), question);
  expect([...candidateIds]).toEqual([5, 1, 8, 2, 6, 4]);
  expect([...logProbabilities]).toEqual([-0.5, -1.5, -0.25, -2, -0.125, -3]);
  expect([...tokenLogProbabilities]).toEqual([0, -4, -2]);
});

it('learns the ids of a text from its scores', () => {
  const { read } = sglang.idsOfScoredText!;
  expect(read(answer({}))).toEqual([7, 300, 2]);
  expect(() => read(Buffer.from('{}'))).toThrow('meta_info');
});

it('trusts its own ids where the server tells the last of the vocabulary as 0', () => {
  const clipped = [tokens[0], [-4, 0, null], tokens[2]];
  expect(sglang.readScore(answer(flat(), clipped), question).tokenLogProbabilities[1]).toBe(-4);
});

it.each([
  ['2 rows for 3 tokens', answer(flat(), tokens.slice(1))],
  ['token 1 is 301 there and 300 here', answer(flat(), [tokens[0], [-4, 301, null], tokens[2]])],
  ['rows are [2,2]', answer({ ...flat(), input_top_logprobs_shape: [2, 2] })],
  [
    '12 bytes instead of 16',
    answer({ ...flat(), input_top_logprobs_idx_flat_b64: base64(Int32Array.of(5, 1, 8)) }),
  ],
  ['no rows of candidates', answer({})],
  ['is no JSON', answer(flat()).subarray(0, 100)],
])('refuses an answer: %s', (reason, body) => {
  expect(() => sglang.readScore(body, question)).toThrow(reason);
});
