import { setMaxListeners } from 'node:events';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Generator } from '../../../model/generation/generator.ts';
import { Scorer } from '../../../model/scoring/scorer.ts';
import { createLog } from '../../../process/log/log.ts';
import { TeacherService } from '../../../wire/generated/fusemesh/v1/teacher_pb.ts';
import { type Client, createClient } from '../../../wire/grpc/client.ts';
import { implement } from '../../../wire/grpc/implementation.ts';
import { type GrpcServer, serve } from '../../../wire/grpc/serve.ts';
import { RunAttachments } from '../attachment/run-attachments.ts';
import type { TeacherModel } from '../teacher-model.ts';
import { mostGenerations, mostScores } from './teacher-calls.ts';
import { teacherService } from './teacher-service.ts';

const directory = fileURLToPath(new URL('../../../examples/zoo/orator', import.meta.url));
const text = 'Fellow citizens of the Senate. ';

let scorer: Scorer;
let generator: Generator;
let server: GrpcServer;
let client: Client<typeof TeacherService>;
/** What the model was asked for and what it computed, as seen from the service. */
const counts = { asked: 0, scored: 0, tokens: 0 };

beforeAll(async () => {
  scorer = await Scorer.load(directory, { topK: 2, threads: 1 });
  generator = await Generator.load(directory, { threads: 1 });
  const counting: TeacherModel = {
    card: scorer.card,
    tokenizer: scorer.tokenizer,
    template: scorer.template,
    fingerprint: new Uint8Array(32),
    failed: scorer.failed,
    async score(texts, topK, turn) {
      counts.asked++;
      const scored = await scorer.score(texts, topK, turn);
      counts.scored++;
      return scored;
    },
    async *generate(request, signal) {
      for await (const piece of generator.generate(request, signal)) {
        counts.tokens++;
        yield piece;
      }
    },
    close: async () => {},
  };
  const identity = { name: 'orator', run: 'demo', instance: '1' };
  const attachments = new RunAttachments(() => Promise.reject(new Error('no run here')));
  const service = teacherService(identity, counting, attachments);
  const log = createLog('test', { level: 'silent' });
  server = await serve({ address: '127.0.0.1:0', services: [implement(TeacherService, service)], log });
  client = createClient(TeacherService, server.address);
});
beforeEach(() => Object.assign(counts, { asked: 0, scored: 0, tokens: 0 }));
afterAll(async () => {
  client.close();
  await server.stop();
  await generator.close();
  await scorer.close();
});

/** Keeps the scorer busy for a second or so, from now on, as a batch of a run does. */
function occupy(): { busy(): boolean; done: Promise<unknown> } {
  let busy = true;
  const texts = Array.from({ length: 24 }, () => new Int32Array(scorer.card.contextLength));
  const done = scorer.scoreTokens(texts).finally(() => {
    busy = false;
  });
  return { busy: () => busy, done };
}

const scores = (count: number, options?: { signal?: AbortSignal; timeoutMs?: number }) =>
  Promise.all(
    Array.from({ length: count }, () =>
      client.score({ text, topK: 2 }, options).then(
        () => 'answered',
        (error) => error.code as string,
      ),
    ),
  );

describe('Score', () => {
  it('is not computed for callers who left while it waited', async () => {
    const batch = occupy();
    const abort = new AbortController();
    setMaxListeners(0, abort.signal);
    const calls = scores(40, { signal: abort.signal });
    await expect.poll(() => counts.asked, { timeout: 10_000 }).toBe(40);
    expect(batch.busy()).toBe(true);
    abort.abort();
    expect(new Set(await calls)).toEqual(new Set(['cancelled']));
    await batch.done;
    expect(await scores(1)).toEqual(['answered']);
    expect(counts).toMatchObject({ asked: 41, scored: 1 });
  });

  it('is not computed when its deadline has passed', async () => {
    const batch = occupy();
    const calls = scores(20, { timeoutMs: 200 });
    await expect.poll(() => counts.asked, { timeout: 10_000 }).toBe(20);
    expect(new Set(await calls)).toEqual(new Set(['unavailable']));
    expect(batch.busy()).toBe(true);
    await batch.done;
    expect(await scores(1)).toEqual(['answered']);
    expect(counts.scored).toBe(1);
  });

  it('is refused at once when as many wait as the queue holds, and taken again when they are done', async () => {
    const batch = occupy();
    const waiting = scores(mostScores);
    await expect.poll(() => counts.asked, { timeout: 10_000 }).toBe(mostScores);
    await expect(client.score({ text, topK: 2 })).rejects.toMatchObject({
      code: 'resource_exhausted',
      message: expect.stringContaining(`${mostScores} texts to score`),
    });
    expect(batch.busy()).toBe(true);
    expect(new Set(await waiting)).toEqual(new Set(['answered']));
    expect(await scores(1)).toEqual(['answered']);
  });

  it('lets a run have its turn between two of many calls', async () => {
    const batch = occupy();
    const calls = scores(30);
    await expect.poll(() => counts.asked, { timeout: 10_000 }).toBe(30);
    const ofRun = scorer.score([text], 2, { lane: 'run demo' }).then(() => counts.scored);
    expect(batch.busy()).toBe(true);
    // Without turns it would be behind all thirty.
    expect(await ofRun).toBeLessThan(10);
    await calls;
  });
});

describe('Generate', () => {
  it('stops between two tokens when the caller leaves', async () => {
    for await (const { tokens } of client.generate({ prompt: text })) if (tokens === 3) break;
    // What the caller left behind has stopped when another text is done.
    for await (const _ of client.generate({ prompt: text, maxTokens: 5 }));
    const { tokens } = counts;
    for await (const _ of client.generate({ prompt: text, maxTokens: 5 }));
    expect(counts.tokens).toBe(tokens + 5);
    expect(tokens).toBeLessThan(60);
  });

  it('stops when its deadline passes', async () => {
    const read = async () => {
      for await (const _ of client.generate({ prompt: text }, { timeoutMs: 60 }));
    };
    await expect(read()).rejects.toMatchObject({ code: 'unavailable' });
    for await (const _ of client.generate({ prompt: text, maxTokens: 1 }));
    const { tokens } = counts;
    for await (const _ of client.generate({ prompt: text, maxTokens: 5 }));
    expect(counts.tokens).toBe(tokens + 5);
  });

  it('is refused when as many texts grow as the teacher holds', async () => {
    const prompt = 'We';
    const growing = Array.from({ length: mostGenerations }, () =>
      client.generate({ prompt })[Symbol.asyncIterator](),
    );
    await Promise.all(growing.map((stream) => stream.next()));
    await expect(client.generate({ prompt })[Symbol.asyncIterator]().next()).rejects.toMatchObject({
      code: 'resource_exhausted',
    });
    await Promise.all(growing.map((stream) => stream.return?.()));
    const again = async () => {
      for await (const { tokens } of client.generate({ prompt, maxTokens: 2 })) if (tokens === 2) return true;
      return false;
    };
    await expect.poll(() => again().catch(() => false), { timeout: 10_000 }).toBe(true);
  });
});
