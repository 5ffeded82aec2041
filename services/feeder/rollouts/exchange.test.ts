import { join } from 'node:path';
import { create } from '@bufbuild/protobuf';
import { afterEach, expect, it } from 'vitest';
import { createLog } from '../../../process/log/log.ts';
import { natsOfTests } from '../../../test/support/nats-of-tests.ts';
import { temporaryDirectory } from '../../../test/support/temporary-directory.ts';
import { zooEncoder } from '../../../test/support/zoo-encoder.ts';
import {
  type Document,
  DocumentSchema,
  type RolloutTask,
} from '../../../wire/generated/fusemesh/v1/corpus_pb.ts';
import { openRolloutStreams, type RolloutStreams } from '../../../wire/nats/rollout-streams.ts';
import { RolloutExchange } from './exchange.ts';
import { RolloutJournal } from './journal.ts';
import { RolloutPlan } from './plan.ts';
import { taskOfRollout } from './task-of-rollout.ts';

const log = createLog('test', { level: 'silent' });
const nats = natsOfTests();
const prompts = {
  at: (number: number) =>
    create(DocumentSchema, {
      domain: 'asked',
      turns: [{ role: '', content: `Prompt ${number}` }],
      rollout: { teacher: number === 1 ? 'orator' : '' },
    }),
};
const onPolicy = {
  prompts: [],
  maxNewTokens: 8,
  temperature: 1,
  topP: 1,
  perPrompt: 1,
  share: 1,
  loss: 'reverseKL' as const,
  beta: 0.5,
  staleness: 0,
};
const plan = new RolloutPlan({
  ...onPolicy,
  corpus: 0,
  prompts: 6,
  batchDocuments: 2,
  steps: undefined,
  seed: 3,
});
const taskOf = taskOfRollout(plan, prompts, onPolicy);

let ended: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const end of ended) await end();
  ended = [];
});

let runs = 0;
async function started(path?: string) {
  const run = `exchange-${process.pid}-${path === undefined ? ++runs : runs}`;
  const streams = openRolloutStreams(nats.connection, run);
  await streams.ensure({});
  const file = path ?? join(await temporaryDirectory(), 'rollouts.jsonl');
  const journal = await RolloutJournal.open(file, { run, plan: 'x' });
  const stop = new AbortController();
  const readers = { encoders: [await zooEncoder('target')], contextLength: 32 };
  const heard: string[] = [];
  const onDropped = (kind: string) => void heard.push(kind);
  const parts = { plan, taskOf, journal, streams, readers, onDropped, log };
  const exchange = new RolloutExchange(parts, stop.signal);
  const working = exchange.run();
  const end = async () => {
    stop.abort();
    await working;
    await journal.close();
  };
  ended.push(end);
  const leave = async () => {
    ended = ended.filter((each) => each !== end);
    await end();
  };
  return { run, streams, exchange, heard, journal, file, leave };
}

/** What a worker makes of a task. */
const written = (task: RolloutTask, { step = task.minStep, content = ' is done.' } = {}): Document =>
  create(DocumentSchema, {
    number: task.document,
    domain: task.domain,
    schemaVersion: 2,
    turns: [...task.turns, { role: '', content, learnt: true }],
    rollout: { weightsStep: step, prompt: task.prompt, seed: task.seed, tokens: 3, teacher: task.teacher },
  });

const never = new AbortController().signal;

/** Takes so many tasks. */
async function take(streams: RolloutStreams, count: number): Promise<RolloutTask[]> {
  const stop = new AbortController();
  const tasks: RolloutTask[] = [];
  for await (const { task, ack } of streams.takeTasks(stop.signal)) {
    await ack();
    if (tasks.push(task) === count) stop.abort();
  }
  return tasks;
}

it('gives out tasks in order, those of the next weights but no later ones', async () => {
  const { streams, exchange } = await started();
  const tasks = await take(streams, 4);
  expect(tasks.map(({ document, minStep }) => [document, minStep])).toEqual([
    [0n, 0n],
    [1n, 0n],
    [2n, 1n],
    [3n, 1n],
  ]);
  for (const task of tasks.slice(0, 2)) await streams.publishRollout(written(task), never);
  expect(await exchange.at(1)).toEqual(written(tasks[1]));
  // By the first that newer weights wrote the feeder knows of them.
  await streams.publishRollout(written(tasks[2]), never);
  const more = await take(streams, 2);
  expect(more.map(({ document, minStep }) => [document, minStep])).toEqual([
    [4n, 2n],
    [5n, 2n],
  ]);
});

it('drops what is stale, or of another prompt, and has it written again; the first of two is taken', async () => {
  const { streams, exchange, heard } = await started();
  const [first, second, third] = await take(streams, 4);
  await streams.publishRollout(written(third, { step: 0n }), never);
  await streams.publishRollout({ ...written(second), turns: written(first).turns }, never);
  await streams.publishRollout(written(first), never);
  await streams.publishRollout(written(first, { content: ' another', step: 1n }), never);
  await streams.publishRollout({ ...written(first), number: 99n }, never);
  const again = await take(streams, 2);
  expect(again.map(({ document }) => document).toSorted()).toEqual([1n, 2n]);
  for (const task of again) await streams.publishRollout(written(task, { step: 1n }), never);
  expect(await exchange.at(2)).toEqual(written(third, { step: 1n }));
  expect(await exchange.at(0)).toEqual(written(first));
  expect(exchange.dropped).toEqual({ stale: 1, unusable: 2, late: 1 });
  expect(heard.toSorted()).toEqual(['late', 'stale', 'unusable', 'unusable']);
});

it('gives out again what NATS has lost', async () => {
  const { streams, exchange, run } = await started();
  await take(streams, 4);
  const again = await take(streams, 4);
  expect(again.map(({ document }) => document).toSorted()).toEqual([0n, 1n, 2n, 3n]);
  for (const kind of ['prompts', 'rollouts']) {
    await nats.connection.manager.streams.delete(`fusemesh_${run}_${kind}`);
  }
  const [task] = await take(streams, 4);
  await streams.publishRollout(written(task), never);
  expect(await exchange.at(Number(task.document))).toEqual(written(task));
});

it('goes on from its journal', async () => {
  const { streams, exchange, leave, file } = await started();
  const tasks = await take(streams, 3);
  for (const task of tasks.slice(1)) await streams.publishRollout(written(task), never);
  await exchange.at(2);
  await leave();
  const next = await started(file);
  expect(await next.exchange.at(2)).toEqual(written(tasks[2]));
  const missing = await take(next.streams, 3);
  expect(missing.map(({ document }) => document)).toEqual([0n, 3n, 4n]);
});

it('cuts a completion that a model would read longer than the context', async () => {
  const { streams, exchange } = await started();
  const [task] = await take(streams, 1);
  const content = ' the sea and the king'.repeat(40);
  await streams.publishRollout(written(task, { content }), never);
  const { turns } = await exchange.at(0);
  const [, completion] = turns;
  expect(completion.unfinished).toBe(true);
  expect(content.startsWith(completion.content)).toBe(true);
  const encoder = await zooEncoder('target');
  const length = async (said: string) => {
    const turn = { ...completion, content: said };
    const [{ ids }] = await encoder.encodeBatch([{ turns: [turns[0], turn], tools: '' }]);
    return ids.length;
  };
  expect(await length(completion.content)).toBeLessThanOrEqual(32);
  expect(await length(content.slice(0, completion.content.length + 12))).toBeGreaterThan(32);
});
