import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { Notifier } from '../../../process/lifecycle/notifier.ts';
import { createLog } from '../../../process/log/log.ts';
import { natsOfTests } from '../../../test/support/nats-of-tests.ts';
import {
  smallFingerprint as fingerprint,
  smallDistribution,
} from '../../../test/support/small-distribution.ts';
import { distributionCheck } from '../../../wire/codec/check-distribution.ts';
import type { TextDistribution } from '../../../wire/codec/text-distribution.ts';
import { openRunStreams, type RunStreams } from '../../../wire/nats/run-streams.ts';
import { IntakeCounts } from './intake-counts.ts';
import { LookAhead } from './look-ahead.ts';
import { readDistributionsInto } from './read-distributions.ts';

const run = `read-${process.pid}`;
const options = { signal: new AbortController().signal };
const nats = natsOfTests();
let streams: RunStreams;

beforeAll(async () => {
  streams = openRunStreams(nats.connection, run);
  await streams.ensure({ maxDocuments: 8, maxDistributions: 8 });
});
afterAll(() => streams?.remove());

function distribution(document: number, tokenizerFingerprint = fingerprint, crossEntropy = 1): Uint8Array {
  return smallDistribution({ document, tokenizerFingerprint, crossEntropy });
}

/** Reads what the stream has until a document has come, as a trainer that has just started. */
async function readUntil(document: number, from: Pick<RunStreams, 'readDistributions' | 'storeDeadLetter'>) {
  const distributions = new LookAhead<TextDistribution>(0, 8, new Notifier());
  const intake = new IntakeCounts({ received: () => {}, deadLetter: () => {} });
  const log = createLog('test', { level: 'silent' });
  vi.spyOn(log, 'child').mockReturnValue(log as never);
  const warned = vi.spyOn(log, 'warn');
  const abort = new AbortController();
  const check = distributionCheck({
    teacher: 'orator',
    fingerprint,
    tokens: 100,
    candidates: 100,
    documents: 4,
  });
  const reader = { teacher: 'orator', check, distributions, intake };
  const reading = readDistributionsInto(reader, from, { signal: abort.signal, log });
  await expect.poll(() => [...distributions.numbers], { timeout: 10_000 }).toContain(document);
  abort.abort();
  await reading;
  const rejected = [0, 1, 2, 3].filter((number) => distributions.takeRejected(number));
  return { intake: intake.of('orator'), numbers: [...distributions.numbers], rejected, warned };
}

it('puts what cannot be used aside, once over restarts, and reads the rest', async () => {
  const messages = [
    distribution(0),
    Uint8Array.of(255, 1),
    distribution(1, new Uint8Array(32)),
    distribution(2, fingerprint, Number.NaN),
    distribution(3),
  ];
  for (const [i, bytes] of messages.entries()) {
    await streams.publishDistribution('orator', i, bytes, options);
  }
  const bytesReceived = messages.reduce((sum, { length }) => sum + length, 0);
  for (let restart = 0; restart < 2; restart++) {
    const { intake, numbers, rejected } = await readUntil(3, streams);
    expect(numbers).toEqual([0, 3]);
    expect(intake).toEqual({ bytesReceived, deadLetters: 3 });
    expect(rejected).toEqual([1, 2]);
  }

  const stream = `fusemesh_${run}_dead_letters`;
  const { state } = await nats.connection.manager.streams.info(stream);
  expect(state.messages).toBe(3);
  const letters = await Promise.all(
    [1, 2, 3].map((seq) => nats.connection.manager.streams.getMessage(stream, { seq })),
  );
  expect(letters.map(({ data }) => data)).toEqual(messages.slice(1, 4));
  expect(letters.map(({ header }) => header.get('Fusemesh-Position'))).toEqual(['2', '3', '4']);
  expect(letters[1].header.get('Fusemesh-Reason')).toBe(
    'Distributions of document 1 by orator cannot be used: tokenizer_fingerprint is that of another tokenizer.',
  );
});

it('only says so where a message cannot be put aside', async () => {
  const gone = openRunStreams(nats.connection, `${run}-gone`);
  const { intake, numbers, warned } = await readUntil(3, {
    readDistributions: streams.readDistributions,
    storeDeadLetter: gone.storeDeadLetter,
  });
  expect(numbers).toEqual([0, 3]);
  expect(intake.deadLetters).toBe(3);
  expect(warned.mock.calls.map(([, message]) => message)).toContainEqual(
    expect.stringContaining('is not among the dead letters'),
  );
});
