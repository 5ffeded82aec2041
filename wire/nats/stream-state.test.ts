import { create } from '@bufbuild/protobuf';
import { expect, it } from 'vitest';
import { natsOfTests } from '../../test/support/nats-of-tests.ts';
import { CorpusManifestSchema, DocumentSchema } from '../generated/fusemesh/v1/corpus_pb.ts';
import { openRunStreams } from './run-streams.ts';

const signal = new AbortController().signal;
const nats = natsOfTests();

it('tells what the streams hold and what each teacher has still to do', async () => {
  const streams = openRunStreams(nats.connection, `state-${process.pid}`);
  const lagOf = async (teacher: string) => (await streams.look([teacher])).lags[0].documents;
  expect(await streams.look(['orator'])).toEqual({
    streams: ['documents', 'distributions', 'dead-letters'].map((name) => ({
      name,
      messages: 0,
      bytes: 0,
      mostMessages: 0,
    })),
    lags: [{ teacher: 'orator', documents: 0, redelivered: 0, doneUpTo: 0 }],
  });

  await streams.ensure({ maxDocuments: 10, maxDistributions: 20 });
  await streams.publishManifest(
    create(CorpusManifestSchema, { documents: 5n, sha256: new Uint8Array(32), contextLength: 64 }),
  );
  expect(await lagOf('orator')).toBe(0);
  for (let number = 0n; number < 5n; number++) {
    await streams.publishDocument(create(DocumentSchema, { number, text: 'text' }), { signal });
  }
  // Nobody has come for them yet.
  expect(await lagOf('orator')).toBe(5);

  let taken = 0;
  const abort = new AbortController();
  for await (const { ack } of streams.consumeDocuments('orator', { batch: 2, signal: abort.signal })) {
    // Three are acknowledged, the fourth stays in hand.
    if (++taken <= 3) await ack();
    else break;
  }
  await streams.publishDistribution('orator', 0, new Uint8Array(1_000), { signal });
  await streams.storeDeadLetter(
    { stream: 'distributions', source: 'orator', position: 1, bytes: Uint8Array.of(1), reason: 'test' },
    { signal },
  );
  const { streams: held, lags } = await streams.look(['novelist', 'orator']);
  expect(held.map(({ name, messages, mostMessages }) => [name, messages, mostMessages])).toEqual([
    ['documents', 6, 11],
    ['distributions', 1, 21],
    ['dead-letters', 1, 10_000],
  ]);
  expect(held[1].bytes).toBeGreaterThan(1_000);
  expect(lags.map(({ teacher, documents }) => [teacher, documents])).toEqual([
    ['novelist', 5],
    ['orator', 2],
  ]);

  await streams.releaseDocuments(2);
  expect(await lagOf('novelist')).toBe(3);
  await streams.remove();
});
