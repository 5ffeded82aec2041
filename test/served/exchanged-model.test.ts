import { setImmediate as nextTurn } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import type { ScoredText } from '../../model/scoring/scored-text.ts';
import { Scorer } from '../../model/scoring/scorer.ts';
import { connectServed, zooModel } from './connect-served.ts';
import type { Fault } from './faults/fault.ts';
import { faults } from './faults/faults.ts';
import { ServedServer, send } from './served-server.ts';

const texts = ['We are at peace.', 'Fellow citizens of the Senate.', 'x', 'The state of the Union. 🙂'];
const none = { lane: 'test' };
let server: ServedServer;
let own: readonly ScoredText[];

beforeAll(async () => {
  const scorer = await Scorer.load(zooModel('orator'), { topK: 8, threads: 1 });
  own = await scorer.score(texts);
  await scorer.close();
  server = await ServedServer.start({ api: 'vllm', directory: zooModel('orator') });
});
afterEach(() => server.misbehave(undefined));
afterAll(() => server?.stop());

/** Has another model's answers held back until they are let go. */
function holdOther(): { readonly letGo: () => void } {
  let letGo = () => {};
  const gone = new Promise<void>((resolve) => {
    letGo = resolve;
  });
  const held: Fault = {
    rows: faults.otherModel.rows,
    send: async (response, reply) => {
      await gone;
      send(response, reply);
    },
  };
  server.misbehave(held);
  return { letGo };
}

/** Has an idle connection reset, and the client see it. */
async function resetIdle(): Promise<void> {
  server.resetIdle();
  // Both ends are in this process: some turns of its loop do.
  for (let turn = 0; turn < 20; turn++) await nextTurn();
}

it('uses no answer of another model where one connection of several was closed and opened anew', async () => {
  const model = await connectServed('vllm', server.url);
  expect(await model.score(texts, 8, none)).toEqual(own);
  const { letGo } = holdOther();
  await resetIdle();
  const { asked } = server;
  const scored = model.score(texts, 8, none);
  await expect.poll(() => server.asked).toBe(asked + texts.length);
  letGo();
  await expect(scored).rejects.toThrow(/is another one than this teacher began with/);
  expect((await model.failed).code).toBe('failed_precondition');
});

it('uses no answer that was on its way when another connection was closed', async () => {
  const model = await connectServed('vllm', server.url);
  expect(await model.score(texts, 8, none)).toEqual(own);
  const { letGo } = holdOther();
  const { asked } = server;
  const scored = model.score(texts.slice(0, 1), 8, none);
  await expect.poll(() => server.asked).toBe(asked + 1);
  await resetIdle();
  letGo();
  await expect(scored).rejects.toThrow(/is another one than this teacher began with/);
});

it('asks a text again whose answer could not be vouched for', async () => {
  const model = await connectServed('vllm', server.url);
  const expected = own[3];
  const prompts: string[] = [];
  server.misbehave({
    prompt: (ids) => {
      prompts.push(ids.join());
      return ids;
    },
    // The text is answered, and the look after it is not.
    send: (response, reply) => {
      if (prompts.length === 2) response.socket?.resetAndDestroy();
      else send(response, reply);
    },
  });
  await resetIdle();
  expect(await model.score([texts[3]], 8, none)).toEqual([expected]);
  expect(prompts.filter((ids) => ids === expected.tokenIds.join())).toHaveLength(2);
});

it('gets on with a server that closes every connection behind its answer', async () => {
  server.misbehave({
    everywhere: true,
    send: (response, reply) => {
      response.setHeader('connection', 'close');
      send(response, reply);
    },
  });
  const model = await connectServed('vllm', server.url);
  const { asked } = server;
  const many = Array.from({ length: 6 }, () => texts).flat();
  expect(await model.score(many, 8, none)).toEqual(Array.from({ length: 6 }, () => own).flat());
  // A look for every answer at most.
  expect(server.asked - asked).toBeLessThanOrEqual(2 * many.length);
});
