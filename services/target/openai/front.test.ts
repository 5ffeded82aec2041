import { writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { join } from 'node:path';
import { Agent, fetch } from 'undici';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { serveHttp } from '../../../process/http/serve-http.ts';
import { createLog } from '../../../process/log/log.ts';
import { createRegister } from '../../../process/metrics/create-register.ts';
import { type RunningTarget, startTarget, zooModel } from '../../../test/support/running-target.ts';
import { temporaryDirectory } from '../../../test/support/temporary-directory.ts';
import { mostWaiting } from '../answers/answers.ts';
import { OpenAiFront } from './front.ts';
import { mostBodyBytes } from './read-body.ts';

// What goes over the wire, byte for byte, as curl would show it.
let target: RunningTarget;
beforeAll(async () => {
  target = await startTarget(zooModel('target'), { slots: 1 });
});
afterAll(() => target.stop());

const json = { 'Content-Type': 'application/json' };
const asked = { model: 'demo', prompt: 'Fellow citizens', max_tokens: 4, temperature: 0 };

/** Status, headers and parsed body. */
async function post(body: unknown, path = '/completions', headers: Record<string, string> = json) {
  const response = await fetch(target.baseUrl + path, {
    method: 'POST',
    headers,
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
  const text = await response.text();
  return { status: response.status, headers: response.headers, text };
}

const errorOf = ({ text }: { text: string }) =>
  (
    JSON.parse(text) as {
      error: { message: string; type: string; param: string | null; code: string | null };
    }
  ).error;

it('streams events as OpenAI does', async () => {
  const { text, headers } = await post({ ...asked, stream: true });
  expect(headers.get('content-type')).toContain('text/event-stream');
  expect(headers.get('fusemesh-weights-step')).toBe('0');
  const events = text.split('\n\n');
  expect(events.slice(-2)).toEqual(['data: [DONE]', '']);
  const chunks = events.slice(0, -2).map((event) => JSON.parse(event.slice('data: '.length)));
  expect(chunks.length).toBeGreaterThan(1);
  expect(chunks.at(-1).choices[0].finish_reason).toBe('length');
  expect(new Set(chunks.map(({ id }) => id)).size).toBe(1);
});

it('says in OpenAI’s shape what is wrong', async () => {
  const cases = [
    [await post('{'), 400, null, null],
    [await post('[]'), 400, null, null],
    [await post({ ...asked, model: undefined }), 400, 'model', 'invalid_value'],
    [await post({ ...asked, prompt: [] }), 400, 'prompt', 'invalid_value'],
    [await post({ ...asked, top_k: 3 }), 400, 'top_k', 'unsupported_parameter'],
    [await post({ ...asked, prompt: 'We are. '.repeat(400) }), 400, null, 'context_length_exceeded'],
    [await post({ ...asked, prompt: 'x'.repeat(256 * 256 + 1) }), 400, 'prompt', 'context_length_exceeded'],
    [await post({ ...asked, model: 'gpt-4' }), 404, 'model', 'model_not_found'],
    [await post(asked, '/embeddings'), 404, null, 'unknown_url'],
    [await post(asked, '/models'), 405, null, null],
    [await post(asked, '/completions', { 'Content-Type': 'text/plain' }), 415, null, null],
    [await post('x'.repeat(mostBodyBytes + 1)), 413, null, null],
    [
      await post({ model: 'demo', messages: [{ role: 'wizard', content: 'x' }] }, '/chat/completions'),
      400,
      'messages[0].role',
      'invalid_value',
    ],
    [
      await post(
        {
          model: 'demo',
          messages: [{ role: 'user', content: [{ type: 'image_url', image_url: { url: 'x' } }] }],
        },
        '/chat/completions',
      ),
      400,
      'messages[0].content',
      'invalid_value',
    ],
  ] as const;
  for (const [answer, status, param, code] of cases) {
    expect({ status: answer.status, ...errorOf(answer) }).toEqual({
      status,
      message: expect.stringMatching(/\.$/),
      type: 'invalid_request_error',
      param,
      code,
    });
  }
});

it('answers a body without a length that does not end, too', async () => {
  const sending = request(`${target.baseUrl}/completions`, { method: 'POST', headers: json });
  // The server may have closed the connection before all is sent.
  sending.on('error', () => {});
  const status = new Promise<number | undefined>((resolve) => {
    sending.once('response', (response) => resolve(response.statusCode));
  });
  for (let sent = 0; sent <= mostBodyBytes; sent += 2 ** 20) sending.write(Buffer.alloc(2 ** 20, 'x'));
  expect(await status).toBe(413);
  sending.destroy();
  expect((await post(asked)).status).toBe(200);
});

it('refuses one request too many with 429, and serves on', async () => {
  // More connections than fetch opens by itself.
  const dispatcher = new Agent({ connections: 1024 });
  const send = () =>
    fetch(`${target.baseUrl}/completions`, {
      method: 'POST',
      headers: json,
      body: JSON.stringify({ ...asked, n: 32, max_tokens: 1 }),
      dispatcher,
    });
  const statuses = await Promise.all(
    Array.from({ length: 24 }, async () => {
      const response = await send();
      if (response.status === 429) {
        expect(response.headers.get('retry-after')).toBe('1');
        expect(errorOf({ text: await response.text() })).toMatchObject({ code: 'rate_limit_exceeded' });
      } else await response.text();
      return response.status;
    }),
  );
  const held = Math.floor((mostWaiting + 1) / 32);
  expect(statuses.filter((status) => status === 200).length).toBeGreaterThanOrEqual(held);
  expect(statuses.filter((status) => status === 429).length).toBeGreaterThan(0);
  expect((await post(asked)).status).toBe(200);
  await dispatcher.close();
});

it('demands the token of the run as an API key', async () => {
  const tokenFile = join(await temporaryDirectory(), 'token');
  await writeFile(tokenFile, 'a-token-of-the-run-1234');
  const secured = await startTarget(zooModel('target'), {}, { security: { tokenFile } });
  try {
    const list = (headers: Record<string, string>) => fetch(`${secured.baseUrl}/models`, { headers });
    const refused = await list({ Authorization: 'Bearer wrong' });
    expect(refused.status).toBe(401);
    expect(refused.headers.get('www-authenticate')).toContain('Bearer');
    expect(errorOf({ text: await refused.text() })).toMatchObject({
      type: 'authentication_error',
      code: 'invalid_api_key',
    });
    expect((await list({ Authorization: 'Bearer a-token-of-the-run-1234' })).status).toBe(200);
  } finally {
    await secured.stop();
  }
});

it('ends what is in hand when it stops, and answers nothing more', async () => {
  const stopping = await startTarget(zooModel('target'));
  const response = await fetch(`${stopping.baseUrl}/completions`, {
    method: 'POST',
    headers: json,
    body: JSON.stringify({ ...asked, max_tokens: 60, stream: true }),
  });
  const [text] = await Promise.all([response.text(), stopping.stop()]);
  expect(text.split('\n\n').at(-2)).toBe('data: [DONE]');
  await expect(fetch(`${stopping.baseUrl}/models`)).rejects.toThrow();
});

it('answers 503 before there are weights', async () => {
  const log = createLog('target', { level: 'silent' });
  const front = new OpenAiFront('demo', log);
  const http = await serveHttp(createRegister({}), { host: '127.0.0.1', port: 0, log, route: front.route });
  const response = await fetch(`http://127.0.0.1:${http.port}/v1/models`);
  expect(response.status).toBe(503);
  expect(response.headers.get('retry-after')).toBe('1');
  expect(errorOf({ text: await response.text() })).toMatchObject({ type: 'server_error' });
  await http.stop();
});
