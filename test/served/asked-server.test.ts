import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { Registry } from 'prom-client';
import { afterEach, expect, it } from 'vitest';
import { createLog } from '../../process/log/log.ts';
import { OnnxModel } from '../../services/teacher/backends/onnx-model.ts';
import { servedMetrics } from '../../services/teacher/backends/served/metric-table.ts';
import { ServedModel } from '../../services/teacher/backends/served/served-model.ts';
import { sglang } from '../../services/teacher/backends/served/sglang.ts';
import { vllm } from '../../services/teacher/backends/served/vllm.ts';
import { faults } from './faults/faults.ts';
import { type ServedApi, ServedServer } from './served-server.ts';

const zoo = (name: string) => fileURLToPath(new URL(`../../examples/zoo/${name}`, import.meta.url));
const protocols = { vllm, sglang };
const topK = 20;
const texts = ['We are at peace.', 'x', '👋🏽 你好 naïve', 'Fellow citizens of the Senate. '.repeat(6)];
const cleanups: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function start(api: ServedApi = 'vllm'): Promise<ServedServer> {
  const server = await ServedServer.start({ api, directory: zoo('orator'), name: 'model', maxLogprobs: 64 });
  cleanups.push(() => server.stop());
  return server;
}

async function connect(
  { url }: ServedServer,
  api: ServedApi = 'vllm',
  options: Partial<Parameters<typeof ServedModel.connect>[0]> = {},
): Promise<ServedModel> {
  const model = await ServedModel.connect({
    teacher: 'orator',
    protocol: protocols[api],
    servers: [{ url }],
    model: 'model',
    tokenizer: zoo('orator'),
    topK,
    contextLength: 128,
    inFlight: 32,
    metrics: servedMetrics(new Registry()),
    log: createLog('test', { level: 'silent' }),
    signal: new AbortController().signal,
    ...options,
  });
  cleanups.push(() => model.close());
  return model;
}

it.each(['vllm', 'sglang'] as const)('%s gives what our own teacher gives, to the bit', async (api) => {
  const own = await OnnxModel.load(zoo('orator'), { topK, threads: 1 });
  cleanups.push(() => own.close());
  const model = await connect(await start(api), api);
  expect(model.card).toMatchObject({ family: 'llama', vocabularySize: own.card.vocabularySize });
  const alone = [];
  for (const text of texts) alone.push(...(await own.score([text], topK, {})));
  expect(await model.score(texts, topK, {})).toEqual(alone);
  const [empty, long] = await model.score(['', 'Hello. '.repeat(2_000)], topK, {});
  expect(empty).toEqual({ refusal: expect.stringContaining('empty') });
  expect(long).toEqual({ refusal: expect.stringContaining('split the text') });
});

it.each([
  ['offByOne', 'does not say the same of a text as of its beginning'],
  ['otherTokenizer', 'has another tokenizer'],
] as const)('a server with the fault %s is not begun with', async (fault, reason) => {
  const server = await start();
  server.misbehave(faults[fault]);
  await expect(connect(server)).rejects.toThrow(reason);
});

it('says what to do about k, context and name', async () => {
  const server = await start();
  await expect(connect(server, 'vllm', { topK: 65 })).rejects.toThrow('--max-logprobs 65');
  await expect(connect(server, 'vllm', { contextLength: 4096 })).rejects.toThrow('--max-model-len 4097');
  await expect(connect(server, 'vllm', { model: 'other' })).rejects.toThrow('serves model, not other');
});

it('texts wait while the server is down, and are scored when it is back', async () => {
  const server = await start();
  const model = await connect(server);
  const before = await model.score(texts, topK, {});
  await server.die();
  const waiting = model.score(texts, topK, {});
  await server.listen();
  expect(await waiting).toEqual(before);
});

it('a model that was exchanged while nobody looked is noticed before a text is scored by it', async () => {
  const server = await start();
  const model = await connect(server);
  await server.die();
  server.misbehave(faults.otherModel);
  await server.listen();
  const scored = model.score(texts, topK, {});
  await expect(scored).rejects.toThrow('is another one than this teacher began with');
  expect((await model.failed).code).toBe('failed_precondition');
});

it('a llama.cpp server in place of a vLLM is refused with the reason', async () => {
  // What llama-server answers to /health and /v1/models.
  const server = createServer((request, response) => {
    const models = {
      data: [{ id: 'model', object: 'model', owned_by: 'llamacpp', meta: { n_ctx_train: 8192 } }],
    };
    response.end(JSON.stringify(request.url === '/v1/models' ? models : { status: 'ok' }));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  cleanups.push(async () => server.close());
  const { port } = server.address() as AddressInfo;
  const url = `http://127.0.0.1:${port}`;
  await expect(connect({ url } as ServedServer)).rejects.toThrow(
    /is no vLLM: llama.cpp's server .*ignores echo/,
  );
});
