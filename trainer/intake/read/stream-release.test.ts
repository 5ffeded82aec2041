import { expect, it } from 'vitest';
import { Notifier } from '../../../process/lifecycle/notifier.ts';
import { createLog } from '../../../process/log/log.ts';
import { natsOfTests } from '../../../test/support/nats-of-tests.ts';
import type { IncomingDocument } from '../../../wire/nats/run-streams.ts';
import { openRunStreams } from '../../../wire/nats/run-streams.ts';
import { LookAhead, type SourceQueue } from './look-ahead.ts';
import { StreamRelease } from './stream-release.ts';

const nats = natsOfTests();
const never = new AbortController().signal;

it('copies that come late behind uncovered documents take no room for good', async () => {
  const streams = openRunStreams(nats.connection, `release-${process.pid}`);
  await streams.ensure({ maxDocuments: 4, maxDistributions: 4 });
  const publish = (document: number) =>
    streams.publishDistribution('orator', document, Uint8Array.of(document), { signal: never });

  const notifier = new Notifier();
  const documents = new LookAhead<IncomingDocument>(2, 8, notifier);
  const distributions = new LookAhead<number>(2, 8, notifier);
  const queue = { name: 'orator', distributions } as unknown as SourceQueue;
  const release = new StreamRelease(
    streams,
    { documents, sources: [queue] },
    2,
    createLog('test', { level: 'silent' }),
  );

  // Documents 0 and 1 are covered: they were healed by gRPC. Their teacher, killed meanwhile, has them delivered again
  // and publishes them behind 3 and 4; 2, which is wanted next, comes last.
  const abort = new AbortController();
  const reading = (async () => {
    for await (const { bytes, position, life } of streams.readDistributions('orator', {
      signal: abort.signal,
    })) {
      distributions.offer(bytes[0], position, bytes[0], { life });
    }
  })();
  for (const document of [3, 4, 0, 1]) await publish(document);
  const last = publish(2);
  await expect
    .poll(
      async () => {
        await release.cover(2);
        return distributions.ready;
      },
      { timeout: 10_000 },
    )
    .toBe(true);
  await last;
  // Nor is room lost afterwards.
  await publish(5);
  abort.abort();
  await reading;
}, 30_000);
