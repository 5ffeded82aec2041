import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Scorer } from '../../model/scoring/scorer.ts';
import { type ServedApi, ServedServer } from './served-server.ts';

const directory = fileURLToPath(new URL('../../examples/zoo/novelist', import.meta.url));
const text = 'It was the best of times, it was the worst of times; Marley was dead: to begin with.';
const k = 5;
let scorer: Scorer;
const servers = {} as Record<ServedApi, ServedServer>;

beforeAll(async () => {
  scorer = await Scorer.load(directory, { topK: k, threads: 1 });
  for (const api of ['vllm', 'sglang'] as const) {
    servers[api] = await ServedServer.start({ api, directory, apiKey: 'secret', contextLength: 64 });
  }
});
afterAll(async () => {
  await Promise.all(Object.values(servers).map((server) => server.stop()));
  await scorer?.close();
});

async function ask(api: ServedApi, path: string, body?: object, key = 'secret') {
  const response = await fetch(servers[api].url + path, {
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    ...(body && { method: 'POST', body: JSON.stringify(body) }),
  });
  const answer = await response.text();
  // biome-ignore lint/suspicious/noExplicitAny: what comes is looked at below
  return { status: response.status, body: answer === '' ? undefined : (JSON.parse(answer) as any), answer };
}

const completion = (ids: ArrayLike<number>, more = {}) => ({
  model: 'model',
  prompt: [...Array.from(ids)],
  max_tokens: 1,
  prompt_logprobs: k,
  logprobs: k,
  return_tokens_as_token_ids: true,
  ...more,
});
const generation = (ids: ArrayLike<number>, more = {}) => ({
  input_ids: [...Array.from(ids)],
  sampling_params: { max_new_tokens: 1, temperature: 1 },
  return_logprob: true,
  logprob_start_len: 0,
  top_logprobs_num: k,
  return_flat_raw_top_logprobs: true,
  return_flat_raw_top_logprobs_b64: true,
  ...more,
});

describe('vLLM', () => {
  it('says of a prompt, to the bit, what our own scorer says', async () => {
    const [own] = await scorer.score([text]);
    const { status, body } = await ask('vllm', '/v1/completions', completion(own.tokenIds));
    expect(status).toBe(200);
    const [{ prompt_logprobs: prompt, logprobs }] = body.choices;
    expect(prompt.length).toBe(own.tokenIds.length);
    expect(prompt[0]).toBeNull();
    for (let i = 1; i < prompt.length; i++) {
      const byRank = Object.entries<{ rank: number; logprob: number }>(prompt[i])
        .filter(([, { rank }]) => rank <= k)
        .sort(([, a], [, b]) => a.rank - b.rank);
      const row = (i - 1) * k;
      expect(byRank.map(([id]) => Number(id))).toEqual([...own.candidateIds.subarray(row, row + k)]);
      expect(byRank.map(([, { logprob }]) => logprob)).toEqual([
        ...own.logProbabilities.subarray(row, row + k),
      ]);
      expect(prompt[i][own.tokenIds[i]].logprob).toBe(own.tokenLogProbabilities[i]);
    }
    const last = (prompt.length - 1) * k;
    const generated = Object.entries<number>(logprobs.top_logprobs[0])
      .sort(([, a], [, b]) => b - a)
      .slice(0, k);
    expect(generated.map(([token]) => Number(token.replace('token_id:', '')))).toEqual([
      ...own.candidateIds.subarray(last),
    ]);
    expect(generated.map(([, value]) => value)).toEqual([...own.logProbabilities.subarray(last)]);
  });

  it('refuses as vLLM does', async () => {
    const ids = [1, 5, 6];
    const refused = async (more: object) =>
      (await ask('vllm', '/v1/completions', completion(ids, more))).body;
    expect(await refused({ prompt_logprobs: 21 })).toMatchObject({
      error: { code: 400, param: 'prompt_logprobs', message: expect.stringContaining('max allowed: 20') },
    });
    expect(await refused({ prompt: Array(64).fill(5) })).toMatchObject({ error: { code: 400 } });
    expect(await refused({ prompt: Array(63).fill(5) })).toMatchObject({ usage: { prompt_tokens: 63 } });
    expect(await refused({ model: 'other' })).toMatchObject({ error: { code: 404 } });
    expect((await ask('vllm', '/v1/models', undefined, 'wrong')).status).toBe(401);
    expect((await ask('vllm', '/version', undefined, 'wrong')).body).toEqual({ version: '0.32.0' });
  });

  it('tokenizes as its users do', async () => {
    const { tokenIds } = (await scorer.score([text]))[0];
    const { body } = await ask('vllm', '/tokenize', { model: 'model', prompt: text });
    expect(body).toMatchObject({ count: tokenIds.length, max_model_len: 64, tokens: [...tokenIds] });
    const bare = await ask('vllm', '/tokenize', { prompt: text, add_special_tokens: false });
    expect(bare.body.tokens).toEqual([...tokenIds.subarray(1)]);
  });
});

describe('SGLang', () => {
  it('says of a prompt, to the bit, what our own scorer says', async () => {
    const [own] = await scorer.score([text]);
    const n = own.tokenIds.length;
    const { status, body } = await ask('sglang', '/generate', generation(own.tokenIds));
    expect(status).toBe(200);
    const meta = body.meta_info;
    expect(meta.input_top_logprobs_shape).toEqual([n, k]);
    const column = (name: string) => Buffer.from(meta[`input_top_logprobs_${name}_flat_b64`], 'base64');
    const plain = (bytes: Uint8Array) => Uint8Array.from(bytes).buffer;
    expect(new Float32Array(plain(column('val')))).toEqual(own.logProbabilities.slice(0, (n - 1) * k));
    expect(new Int32Array(plain(column('idx')))).toEqual(own.candidateIds.slice(0, (n - 1) * k));
    expect(meta.input_token_logprobs.map(([value]: [number | null]) => value ?? 0)).toEqual([
      ...own.tokenLogProbabilities,
    ]);
    const [last] = meta.output_top_logprobs;
    expect(last.map(([value]: [number]) => value)).toEqual([...own.logProbabilities.subarray((n - 1) * k)]);
  });

  it('divides what it generates by the temperature, reports the last id as 0, and scores no prompt unasked', async () => {
    const ids = [1, 5, 2999];
    const at1 = (await ask('sglang', '/generate', generation(ids))).body.meta_info;
    const bare = (await ask('sglang', '/generate', generation(ids, { sampling_params: {} }))).body.meta_info;
    expect(bare.output_top_logprobs[0][0][0]).toBeGreaterThan(at1.output_top_logprobs[0][0][0]);
    expect(bare.input_token_logprobs).toEqual(at1.input_token_logprobs);
    expect(at1.input_token_logprobs[2][1]).toBe(0);
    const unasked = await ask('sglang', '/generate', generation(ids, { logprob_start_len: undefined }));
    expect(unasked.body.meta_info.input_token_logprobs).toHaveLength(1);
  });

  it('refuses as SGLang does', async () => {
    const refused = async (more: object) => (await ask('sglang', '/generate', generation([1], more))).body;
    expect(await refused({ input_ids: Array(64).fill(5) })).toEqual({
      error: { message: expect.stringContaining("longer than the model's context length (64 tokens)") },
    });
    expect(await refused({ return_flat_raw_top_logprobs: false })).toMatchObject({
      error: { message: expect.stringContaining('requires return_flat_raw_top_logprobs') },
    });
    expect((await ask('sglang', '/model_info', undefined, 'wrong')).status).toBe(401);
    expect((await ask('sglang', '/health', undefined, 'wrong')).status).toBe(200);
  });
});
