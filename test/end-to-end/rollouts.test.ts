import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { stringify } from 'yaml';
import { documentFromBytes } from '../../wire/codec/document-bytes.ts';
import type { Document } from '../../wire/generated/fusemesh/v1/corpus_pb.ts';
import { connectNats } from '../../wire/nats/connection.ts';
import { findNatsServer } from '../../wire/nats/find-nats-server.ts';
import { openRunStreams } from '../../wire/nats/run-streams.ts';
import { freePort } from '../support/free-port.ts';
import { startStubTarget, stubCompletion } from '../support/stub-target.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { entry } from '../translated/entry.ts';
import { KeptProcess } from './kept-process.ts';
import { zoo } from './small-run.ts';

const run = `killed-rollouts-${process.pid}`;
const batchDocuments = 4;
const staleness = 1;
const maxNewTokens = 9;
const prompts = 30;
const documents = 2 * prompts;

test('whoever is killed: every document comes once, as the journal has it, by weights that are new enough', {
  timeout: 300_000,
}, async () => {
  const directory = await temporaryDirectory();
  const stub = await startStubTarget({ slow: 120 });
  const port = await freePort();
  const rows = Array.from({ length: prompts }, (_, i) => `${JSON.stringify({ text: `Prompt ${i}:` })}\n`);
  await writeFile(join(directory, 'prompts.jsonl'), rows.join(''));
  const path = join(directory, 'run.yaml');
  const output = join(directory, 'output');
  await writeFile(
    path,
    stringify({
      run,
      nats: { url: `nats://127.0.0.1:${port}` },
      contextLength: 64,
      onPolicy: {
        prompts: [{ domain: 'asked', path: 'prompts.jsonl' }],
        maxNewTokens,
        perPrompt: 2,
        staleness,
      },
      teachers: [{ name: 'orator', address: '127.0.0.1:0', model: join(zoo, 'orator') }],
      target: { model: join(zoo, 'target'), service: { address: stub.address, slots: 3 } },
      trainer: { output, batchDocuments },
    }),
  );
  const store = join(directory, 'nats');
  await mkdir(store);
  const nats = new KeptProcess(
    'nats-server',
    [await findNatsServer(), '-js', '-sd', store, '-a', '127.0.0.1', '-p', String(port)],
    { mayEnd: false },
  );
  const command = (verb: string) => [process.execPath, entry, verb, path];
  const feeder = new KeptProcess('feeder', command('feed'), { mayEnd: true });
  const workers = [1, 2].map((i) => new KeptProcess(`worker ${i}`, command('rollout'), { mayEnd: false }));
  const all = [nats, feeder, ...workers];
  nats.start();
  await sleep(300);
  for (const each of [feeder, ...workers]) each.start();

  // Who is killed when so many documents have come.
  const kills = new Map<number, () => Promise<void>>([
    [6, () => workers[0].kill()],
    [13, () => feeder.kill()],
    [21, () => nats.kill()],
    [30, () => workers[1].kill()],
    [38, () => feeder.kill()],
    [45, () => nats.kill()],
  ]);
  const killing: Promise<void>[] = [];
  const read: Document[] = [];
  const connection = await connectNats(`nats://127.0.0.1:${port}`, 'test');
  try {
    const streams = openRunStreams(connection, run);
    await streams.ensure({ maxDocuments: 1024, maxDistributions: 1024 });
    const done = new AbortController();
    for await (const { bytes } of streams.readDocuments({ from: 0, signal: done.signal })) {
      const document = documentFromBytes(bytes, undefined);
      // A server that was killed may have lost its end: it is published again.
      if (Number(document.number) < read.length) {
        expect(document).toEqual(read[Number(document.number)]);
        continue;
      }
      expect(Number(document.number)).toBe(read.length);
      read.push(document);
      if (read.length % batchDocuments === 0) stub.newWeights(read.length / batchDocuments);
      const kill = kills.get(read.length);
      if (kill) killing.push(kill());
      if (read.length === documents) done.abort();
    }
    await Promise.all(killing);
    await streams.tellRunOver();
    await feeder.done;
  } finally {
    await connection.close();
    for (const each of all.toReversed()) await each.stop();
    await stub.stop();
  }

  const killed = all.flatMap(({ lives }) => lives).filter(({ end }) => end === 'killed');
  expect(killed).toHaveLength(kills.size);
  for (const { number, rollout, turns } of read) {
    const { weightsStep = 0n, seed = 0 } = rollout ?? {};
    const age = Math.floor(Number(number) / batchDocuments) - Number(weightsStep);
    expect(age, `document ${number}`).toBeLessThanOrEqual(staleness);
    expect(age, `document ${number}`).toBeGreaterThanOrEqual(0);
    const [{ content: asked }, completion] = turns;
    expect(completion.content).toBe(stubCompletion(asked, seed, weightsStep, maxNewTokens).join(''));
  }
  const asked = read.map(({ rollout }) => Number(rollout?.prompt)).toSorted((a, b) => a - b);
  expect(asked).toEqual(Array.from({ length: documents }, (_, i) => i >> 1));

  const text = await readFile(join(output, 'rollouts.jsonl'), 'utf8');
  const [, ...lines] = text.trimEnd().split('\n');
  const journal = lines.map(
    (line) => JSON.parse(line) as { document: number; weightsStep: number; turns: { content: string }[] },
  );
  expect(
    journal
      .toSorted((a, b) => a.document - b.document)
      .map(({ document, weightsStep, turns }) => [document, weightsStep, turns[1].content]),
  ).toEqual(
    read.map(({ number, rollout, turns }) => [
      Number(number),
      Number(rollout?.weightsStep),
      turns[1].content,
    ]),
  );
});
