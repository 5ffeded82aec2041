import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createLog } from '../../process/log/log.ts';
import { TeacherService } from '../generated/fusemesh/v1/teacher_pb.ts';
import { checked, type RequestRules } from './checked.ts';
import { type Client, createClient } from './client.ts';
import { anything, integer, list, name, number, text } from './field-rules.ts';
import { implement } from './implementation.ts';
import { type GrpcServer, serve } from './serve.ts';

const rules: RequestRules<typeof TeacherService> = {
  getModelCard: {},
  getTokenizer: {},
  score: {
    text: text({ mostBytes: 10 }),
    topK: integer(1, 300),
    topP: number(0, 1),
    turns: anything,
    tools: anything,
  },
  generate: {
    prompt: text({ mostBytes: 10 }),
    maxTokens: anything,
    temperature: number(0),
    topP: number(0, 1),
    stop: list(text({ mostBytes: 4 }), { most: 2 }),
    seed: anything,
  },
  attachRun: { run: name, teacher: name, topK: integer(1, 300), topP: number(0, 1) },
  detachRun: { run: name },
  watchRun: { run: name },
};

const worked: string[] = [];
let server: GrpcServer;
let client: Client<typeof TeacherService>;

beforeAll(async () => {
  const work = (method: string) => async () => {
    worked.push(method);
    return {};
  };
  const stream = (method: string) =>
    async function* () {
      worked.push(method);
      yield {};
    };
  const implementation = checked(TeacherService, rules, {
    getModelCard: work('getModelCard'),
    getTokenizer: stream('getTokenizer'),
    score: work('score'),
    generate: stream('generate'),
    attachRun: work('attachRun'),
    detachRun: work('detachRun'),
    watchRun: stream('watchRun'),
  });
  const log = createLog('test', { level: 'silent' });
  server = await serve({
    address: '127.0.0.1:0',
    services: [implement(TeacherService, implementation)],
    log,
  });
  client = createClient(TeacherService, server.address);
});
afterAll(async () => {
  client.close();
  await server.stop();
});

const first = async (stream: AsyncIterable<unknown>) => {
  for await (const message of stream) return message;
  return undefined;
};

describe('checked', () => {
  it('lets through what keeps the rules', async () => {
    worked.length = 0;
    await client.getModelCard({});
    await client.score({ text: '12345é789', topK: 300 });
    await first(client.generate({ prompt: 'a', topP: 1, stop: ['a', 'b'], maxTokens: 4_000_000_000 }));
    await client.attachRun({ run: 'run-1', teacher: '0', topK: 1 });
    expect(worked).toEqual(['getModelCard', 'score', 'generate', 'attachRun']);
  });

  it('refuses what breaks one before any work, and names method and field', async () => {
    worked.length = 0;
    const refused = async (call: Promise<unknown>) => {
      const error = await call.then(
        () => undefined,
        (error) => error,
      );
      expect(error.code).toBe('invalid_argument');
      return error.message;
    };
    expect(await refused(client.score({ text: '', topK: 1 }))).toBe('Score: text is empty.');
    expect(await refused(client.score({ text: '12345ééé', topK: 1 }))).toBe(
      'Score: text has 11 bytes; at most 10 are taken.',
    );
    expect(await refused(client.score({ text: 'a' }))).toBe('Score: top_k is 0; use 1 to 300.');
    expect(await refused(client.score({ text: 'a', topK: 301 }))).toContain('top_k is 301');
    const generate = (request: Parameters<typeof client.generate>[0]) =>
      refused(first(client.generate({ prompt: 'a', ...request })));
    expect(await generate({ temperature: -1 })).toBe('Generate: temperature is -1; use 0 or more.');
    expect(await generate({ temperature: Number.NaN })).toContain('temperature is NaN');
    expect(await generate({ topP: 1.5 })).toBe('Generate: top_p is 1.5; use 0 to 1.');
    expect(await generate({ stop: ['a', ''] })).toBe(
      'Generate: stop has an item that cannot be used: number 1 is empty.',
    );
    expect(await generate({ stop: ['a', 'b', 'c'] })).toContain('stop has 3 items; at most 2');
    const attach = (run: string, teacher: string) => refused(client.attachRun({ run, teacher, topK: 1 }));
    expect(await attach('', 'x')).toBe('AttachRun: run is empty.');
    expect(await attach('x', 'a.b')).toContain('AttachRun: teacher is "a.b"; use lower-case letters');
    expect(await attach('x'.repeat(64), 'x')).toContain('at most 63');
    expect(await refused(first(client.watchRun({ run: '*' })))).toContain('WatchRun: run is "*"');
    expect(worked).toEqual([]);
  });
});
