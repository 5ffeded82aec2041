import { expect, it } from 'vitest';
import { Notifier } from '../../process/lifecycle/notifier.ts';
import { createLog } from '../../process/log/log.ts';
import { openSecurity } from '../../process/security/service-security.ts';
import type { TextDistribution } from '../../wire/codec/text-distribution.ts';
import type { RunState } from '../../wire/nats/run-streams.ts';
import { Intake } from './intake.ts';
import { LookAhead } from './read/look-ahead.ts';
import { Source } from './sources/source.ts';

const notifier = new Notifier();
const sources = ['orator', 'novelist'].map((name) => {
  const source = new Source(name, '', openSecurity);
  source.named.attached = true;
  return source;
});

it('shows every source before anything has come, and tells then what came, lags and is missing', async () => {
  const intake = new Intake(sources, { received: () => {}, deadLetter: () => {} });
  expect(intake.streams.seen).toBeUndefined();
  expect(intake.documentsWaiting).toBe(0);
  expect(intake.arrivals()).toMatchObject([
    { name: 'orator', attached: true, replicas: 1, queueDepth: 0, lagDocuments: 0, leftOut: false },
    { name: 'novelist', documentsMissing: 0, deadLetters: 0 },
  ]);

  const queues = sources.map(({ name }) => ({
    name,
    distributions: new LookAhead<TextDistribution>(0, 8, notifier),
  }));
  for (const number of [0, 1, 4]) queues[0].distributions.offer(number, number + 1, {} as TextDistribution);
  queues[1].distributions.offer(0, 1, {} as TextDistribution);
  intake.joins({ queues, attendance: { isLeftOut: (name) => name === 'novelist' } });
  intake.counts.received('orator', 700);
  intake.counts.received('orator', 300);
  intake.counts.deadLetter('novelist');
  const state: RunState = {
    streams: [{ name: 'documents', messages: 9, bytes: 900, mostMessages: 1025 }],
    lags: [{ teacher: 'novelist', documents: 7, redelivered: 0, doneUpTo: 0 }],
  };
  const seen = new AbortController();
  await intake.streams.keepLooking({ look: async () => state }, intake.names, {
    signal: seen.signal,
    log: createLog('test', { level: 'silent' }),
    onLook: () => seen.abort(),
  });
  expect(intake.streams.seen).toBe(state);
  expect(intake.arrivals()).toMatchObject([
    { name: 'orator', queueDepth: 3, documentsMissing: 0, bytesReceived: 1000 },
    { name: 'novelist', queueDepth: 1, documentsMissing: 2, lagDocuments: 7, deadLetters: 1, leftOut: true },
  ]);
  expect(intake.documentsWaiting).toBe(2);
});
