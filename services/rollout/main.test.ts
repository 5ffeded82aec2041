import { readFile, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { type RunConfig, runConfigSchema } from '../../process/config/schema.ts';
import { createLog } from '../../process/log/log.ts';
import { natsOfTests } from '../../test/support/nats-of-tests.ts';
import { type StubTarget, startStubTarget } from '../../test/support/stub-target.ts';
import { temporaryDirectory } from '../../test/support/temporary-directory.ts';
import { documentFromBytes } from '../../wire/codec/document-bytes.ts';
import type { Document } from '../../wire/generated/fusemesh/v1/corpus_pb.ts';
import { openRunStreams } from '../../wire/nats/run-streams.ts';
import { runFeeder } from '../feeder/main.ts';
import { type RolloutOptions, runRolloutWorker } from './main.ts';

const log = createLog('test', { level: 'silent' });
const zoo = resolve(import.meta.dirname, '../../examples/zoo');
const nats = natsOfTests();

let running: { stop: AbortController; ended: Promise<unknown> }[] = [];
let stubs: StubTarget[] = [];
afterEach(async () => {
  for (const { stop, ended } of running) {
    stop.abort();
    await ended;
  }
  for (const stub of stubs) await stub.stop();
  running = [];
  stubs = [];
});

/** Runs something until the test ends. */
function keep(work: (signal: AbortSignal) => Promise<unknown>): AbortController {
  const stop = new AbortController();
  running.push({ stop, ended: work(stop.signal).catch(() => undefined) });
  return stop;
}

const feed = (config: RunConfig) => keep((signal) => runFeeder(config, { signal, log }));
const work = (config: RunConfig, options: Partial<RolloutOptions> = {}) =>
  keep((signal) => runRolloutWorker(config, { signal, log, ...options }));

async function stubTarget(options: Parameters<typeof startStubTarget>[0] = {}): Promise<StubTarget> {
  const stub = await startStubTarget(options);
  stubs.push(stub);
  return stub;
}

let runs = 0;
async function runWith(target: string, onPolicy: object = {}, more: object = {}): Promise<RunConfig> {
  const directory = await temporaryDirectory();
  const prompts = [
    ...Array.from({ length: 5 }, (_, i) => ({ text: `Prompt ${i} of the sea` })),
    { messages: [{ role: 'user', content: 'Who goes?' }], teacher: 'orator' },
  ];
  const path = join(directory, 'prompts.jsonl');
  await writeFile(path, prompts.map((row) => `${JSON.stringify(row)}\n`).join(''));
  return runConfigSchema.parse({
    run: `rollout-${process.pid}-${++runs}`,
    nats: { url: nats.url },
    contextLength: 64,
    onPolicy: { prompts: [{ domain: 'asked', path }], maxNewTokens: 8, ...onPolicy },
    teachers: [{ name: 'orator', address: '127.0.0.1:0', model: join(zoo, 'orator') }],
    target: { model: join(zoo, 'target'), service: { address: target, slots: 3 } },
    trainer: { output: join(directory, 'output'), batchDocuments: 2 },
    ...more,
  });
}

/**
 * Reads a run's documents as a trainer does, and after each step has the stubs serve newer weights.
 *
 * @returns the documents in order
 */
async function train(
  config: RunConfig,
  documents: number,
  serving: readonly StubTarget[],
): Promise<Document[]> {
  const { batchDocuments } = config.trainer;
  const streams = openRunStreams(nats.connection, config.run);
  await streams.ensure(config.nats);
  const read: Document[] = [];
  const done = new AbortController();
  for await (const { bytes } of streams.readDocuments({ from: 0, signal: done.signal })) {
    read.push(documentFromBytes(bytes, read.length));
    if (read.length % batchDocuments === 0) {
      for (const stub of serving) stub.newWeights(read.length / batchDocuments);
    }
    if (read.length === documents) done.abort();
  }
  return read;
}

async function journalOf({ trainer }: RunConfig): Promise<{ document: number; turns: unknown[] }[]> {
  const text = await readFile(join(trainer.output, 'rollouts.jsonl'), 'utf8');
  const [, ...lines] = text.trimEnd().split('\n');
  return lines.map((line) => JSON.parse(line) as { document: number; turns: unknown[] });
}

function expectFresh(documents: readonly Document[], { onPolicy, trainer }: RunConfig): void {
  for (const { number, rollout } of documents) {
    if (rollout === undefined) continue;
    const trainedIn = Math.floor(Number(number) / trainer.batchDocuments) + 1;
    const age = trainedIn - 1 - Number(rollout.weightsStep);
    expect(age).toBeLessThanOrEqual(onPolicy?.staleness ?? 0);
    expect(age).toBeGreaterThanOrEqual(0);
  }
}

it('has the target write every document, by weights that are new enough', async () => {
  const stub = await stubTarget();
  const config = await runWith(stub.address, { perPrompt: 2, staleness: 0 });
  feed(config);
  work(config);
  work(config);
  const read = await train(config, 12, [stub]);
  expectFresh(read, config);
  const prompts = read.map(({ rollout }) => Number(rollout?.prompt));
  expect(prompts.toSorted()).toEqual([0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5]);
  for (const { turns, rollout, domain } of read) {
    const completion = turns[turns.length - 1];
    const isAnswer = rollout?.prompt === 5n;
    expect(domain).toBe('asked');
    expect(turns.map(({ learnt }) => learnt)).toEqual([false, true]);
    expect(turns.map(({ role }) => role)).toEqual(isAnswer ? ['user', 'assistant'] : ['', '']);
    expect(rollout?.teacher).toBe(isAnswer ? 'orator' : '');
    expect(completion.unfinished).toBe(completion.content.split(' ').length === 9);
  }
  const journal = await journalOf(config);
  expect(journal.map(({ document }) => document).toSorted((a, b) => a - b)).toEqual(
    Array.from({ length: 12 }, (_, document) => document),
  );
});

it('mixes what the target writes with the corpus', async () => {
  const stub = await stubTarget();
  const directory = await temporaryDirectory();
  const path = join(directory, 'sea.txt');
  await writeFile(
    path,
    'Call me Ishmael. Some years ago I went to see the watery part of the world. '.repeat(20),
  );
  const corpus = [{ domain: 'sea', path }];
  const config = await runWith(stub.address, { share: 0.5 }, { corpus });
  feed(config);
  work(config);
  const read = await train(config, 10, [stub]);
  expectFresh(read, config);
  expect(read.map(({ rollout }) => rollout !== undefined)).toEqual(
    Array.from({ length: 10 }, (_, document) => document % 2 === 1),
  );
  expect(read[0].text).not.toBe('');
});

it('goes on when a target comes late, and takes others that are found', async () => {
  const first = await stubTarget();
  const { address } = first;
  await first.stop();
  stubs = [];
  const config = await runWith(address, { perPrompt: 1, staleness: 8 });
  feed(config);
  work(config);
  await new Promise((done) => setTimeout(done, 600));
  const late = await stubTarget({ address });
  expect(await train(config, 6, [late])).toHaveLength(6);
});

it('hands back what it has when it leaves', async () => {
  const slow = await stubTarget({ slow: 60_000 });
  const config = await runWith(slow.address, { staleness: 8 });
  feed(config);
  const leaving = work(config);
  await expect.poll(() => slow.inHand, { timeout: 10_000 }).toBe(3);
  leaving.abort();
  await expect.poll(() => slow.inHand).toBe(0);
  const quick = await stubTarget();
  work({
    ...config,
    target: { ...config.target, service: { ...config.target.service!, address: quick.address } },
  });
  expect(await train(config, 6, [quick])).toHaveLength(6);
});
