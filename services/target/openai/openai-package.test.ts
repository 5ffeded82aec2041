import OpenAI, { APIUserAbortError, BadRequestError, NotFoundError } from 'openai';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type RunningTarget, startTarget, zooModel } from '../../../test/support/running-target.ts';

// What the openai package of npm, as it is, gets from the front.
let target: RunningTarget;
let client: OpenAI;
beforeAll(async () => {
  target = await startTarget(zooModel('target'));
  client = new OpenAI({ baseURL: target.baseUrl, apiKey: 'none', maxRetries: 0 });
});
afterAll(() => target.stop());

const prompt = 'Fellow citizens of the Senate';
const greedy = { model: 'demo', prompt, max_tokens: 12, temperature: 0 };

it('lists the model under the name of the run', async () => {
  const models = await client.models.list();
  expect(models.data.map(({ id }) => id)).toEqual(['demo']);
  expect(await client.models.retrieve('demo')).toMatchObject({ object: 'model', max_model_len: 256 });
  await expect(client.models.retrieve('gpt-4')).rejects.toBeInstanceOf(NotFoundError);
});

it('completes a prompt, whole and as a stream, and says the step of its weights', async () => {
  const { data, response } = await client.completions.create(greedy).withResponse();
  expect(response.headers.get('fusemesh-weights-step')).toBe('0');
  expect(data).toMatchObject({ object: 'text_completion', model: 'demo', system_fingerprint: 'step-0' });
  expect(data.choices).toEqual([
    { index: 0, text: expect.stringMatching(/^\W*\w/), logprobs: null, finish_reason: 'length' },
  ]);
  expect(data.usage?.completion_tokens).toBe(12);
  expect(data.usage?.total_tokens).toBe(12 + data.usage!.prompt_tokens);

  let text = '';
  let usage: unknown;
  const stream = await client.completions.create({
    ...greedy,
    stream: true,
    stream_options: { include_usage: true },
  });
  for await (const chunk of stream) {
    expect(chunk.system_fingerprint).toBe('step-0');
    text += chunk.choices[0]?.text ?? '';
    if (chunk.choices.length === 0) usage = chunk.usage;
  }
  expect(text).toBe(data.choices[0].text);
  expect(usage).toEqual(data.usage);
});

it('draws by a seed, several answers to each of several prompts', async () => {
  const drawn = { ...greedy, prompt: [prompt, 'We are'], n: 2, temperature: 1, seed: 7 };
  const [once, again] = await Promise.all([
    client.completions.create(drawn),
    client.completions.create(drawn),
  ]);
  expect(once.choices.map(({ index }) => index)).toEqual([0, 1, 2, 3]);
  expect(again.choices).toEqual(once.choices);
  expect(once.choices[0].text).not.toBe(once.choices[1].text);
  const alone = await client.completions.create({ ...drawn, prompt: 'We are', n: 1 });
  expect(alone.choices[0].text).toBe(once.choices[2].text);
});

it('ends before a stop string', async () => {
  const [{ text }] = (await client.completions.create(greedy)).choices;
  const stop = text.slice(4, 8);
  const [ended] = (await client.completions.create({ ...greedy, stop })).choices;
  expect(ended).toMatchObject({ text: text.slice(0, text.indexOf(stop)), finish_reason: 'stop' });
});

it('gives log-probabilities of completions', async () => {
  const { choices } = await client.completions.create({ ...greedy, logprobs: 2 });
  const { tokens, token_logprobs, top_logprobs, text_offset } = choices[0].logprobs!;
  expect(tokens!.join('')).toBe(choices[0].text);
  expect(text_offset).toEqual(tokens!.map((_, i) => tokens!.slice(0, i).join('').length));
  for (const [i, token] of tokens!.entries()) {
    expect(token_logprobs![i]).toBeLessThanOrEqual(0);
    // Greedy: the chosen token is the first of the most probable ones.
    expect(Math.max(...Object.values(top_logprobs![i]))).toBe(token_logprobs![i]);
    expect(top_logprobs![i][token]).toBe(token_logprobs![i]);
  }
});

it('takes token ids as they are', async () => {
  const { choices } = await client.completions.create({ ...greedy, logprobs: 0 });
  // Ids of words; the prompt as text has <|endoftext|> in front of them.
  const ids = await client.completions.create({ ...greedy, prompt: [2999, 311, 262] });
  expect(ids.usage?.prompt_tokens).toBe(3);
  expect(choices[0].logprobs?.top_logprobs).toBeNull();
  await expect(client.completions.create({ ...greedy, prompt: [9999] })).rejects.toBeInstanceOf(
    BadRequestError,
  );
});

it('answers a conversation, whole and as a stream', async () => {
  const messages = [
    { role: 'system' as const, content: 'You speak to the Senate.' },
    { role: 'user' as const, content: [{ type: 'text' as const, text: 'How is the Union?' }] },
  ];
  const asked = { model: 'demo', messages, max_completion_tokens: 10, temperature: 0 };
  const whole = await client.chat.completions.create({ ...asked, logprobs: true, top_logprobs: 3 });
  const [{ message, finish_reason, logprobs }] = whole.choices;
  expect(whole).toMatchObject({ object: 'chat.completion', system_fingerprint: 'step-0' });
  expect(message).toMatchObject({ role: 'assistant', refusal: null });
  expect(finish_reason).toBe('length');
  expect(logprobs!.content!.map(({ token }) => token).join('')).toBe(message.content);
  const [first] = logprobs!.content!;
  expect(first.top_logprobs).toHaveLength(3);
  expect(first.top_logprobs[0]).toEqual({ token: first.token, logprob: first.logprob, bytes: first.bytes });
  expect(Buffer.from(first.bytes!).toString()).toBe(first.token);

  const deltas: { role?: string; content?: string | null }[] = [];
  const stream = await client.chat.completions.create({ ...asked, stream: true });
  for await (const { choices, object } of stream) {
    expect(object).toBe('chat.completion.chunk');
    deltas.push(choices[0].delta);
  }
  expect(deltas[0]).toEqual({ role: 'assistant', content: '', refusal: null });
  expect(deltas.map(({ content }) => content ?? '').join('')).toBe(message.content);
});

it('names what it does not do, and a model that it does not have', async () => {
  const asked = { model: 'demo', messages: [{ role: 'user' as const, content: 'Hello.' }] };
  await expect(client.chat.completions.create({ ...asked, model: 'gpt-4' })).rejects.toMatchObject({
    status: 404,
    code: 'model_not_found',
    param: 'model',
  });
  await expect(client.chat.completions.create({ ...asked, frequency_penalty: 0.5 })).rejects.toMatchObject({
    status: 400,
    code: 'unsupported_parameter',
    param: 'frequency_penalty',
  });
  await expect(client.completions.create({ ...greedy, echo: true })).rejects.toMatchObject({ param: 'echo' });
  await expect(client.completions.create({ ...greedy, temperature: 3 })).rejects.toMatchObject({
    status: 400,
    param: 'temperature',
  });
  const tools = [{ type: 'function' as const, function: { name: 'look', parameters: {} } }];
  await expect(client.chat.completions.create({ ...asked, tools })).rejects.toMatchObject({ param: 'tools' });
  const harmless = { ...asked, user: 'me', metadata: { a: 'b' }, frequency_penalty: 0, max_tokens: 1 };
  expect((await client.chat.completions.create(harmless)).choices).toHaveLength(1);
});

it('ends what a caller has left', async () => {
  const leaving = new AbortController();
  const stream = await client.completions.create(
    { ...greedy, max_tokens: 200, stream: true },
    { signal: leaving.signal },
  );
  const read = async () => {
    for await (const _ of stream) leaving.abort();
  };
  await read().catch((error) => expect(error).toBeInstanceOf(APIUserAbortError));
  const inProgress = async () => {
    const shown = await (await fetch(`${target.url}/metrics`)).text();
    return /fusemesh_target_answers_in_progress\{run="demo"\} (\d+)/.exec(shown)?.[1];
  };
  await expect.poll(inProgress).toBe('0');
  const shown = await (await fetch(`${target.url}/metrics`)).text();
  expect(shown).toContain('fusemesh_target_answers_total{end="cancelled",run="demo"} 1');
});
