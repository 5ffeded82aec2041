import { create } from '@bufbuild/protobuf';
import { expect, it } from 'vitest';
import { natsOfTests } from '../../test/support/nats-of-tests.ts';
import { CorpusManifestSchema, DocumentSchema } from '../generated/fusemesh/v1/corpus_pb.ts';
import { runNames } from './names.ts';
import { openRunStreams } from './run-streams.ts';

const nats = natsOfTests();

/** A reader fetches so many at a time: after them no request of its own is open. */
const fetchedAtATime = 64;

it('reads again what was lost on the way at the end, where no gap shows it', {
  timeout: 60_000,
}, async () => {
  const run = `lost-${process.pid}`;
  const streams = openRunStreams(nats.connection, run);
  await streams.ensure({ maxDocuments: 100, maxDistributions: 100 });
  await streams.publishManifest(
    create(CorpusManifestSchema, { documents: 65n, sha256: new Uint8Array(32), contextLength: 64 }),
  );
  const { signal } = new AbortController();
  for (let number = 0; number <= fetchedAtATime; number++) {
    await streams.publishDocument(create(DocumentSchema, { number: BigInt(number), text: 'text' }), {
      signal,
    });
  }

  const reading = new AbortController();
  const read = streams.readDocuments({ from: 0, signal: reading.signal })[Symbol.asyncIterator]();
  for (let number = 0; number < fetchedAtATime; number++) {
    expect((await read.next()).value?.document.number).toBe(number);
  }
  expect(await takeFromReader(runNames(run).documentsStream)).toBe(1);

  expect((await read.next()).value?.document.number).toBe(fetchedAtATime);
  reading.abort();
  expect((await read.next()).done).toBe(true);
  await streams.remove();
});

/** Takes what the server has for the stream's only reader, which never sees it; returns how many. */
async function takeFromReader(stream: string): Promise<number> {
  const [{ name }] = await nats.connection.manager.consumers.list(stream).next();
  const consumer = await nats.connection.raw.jetstream().consumers.get(stream, name);
  let taken = 0;
  for await (const _ of await consumer.fetch({ max_messages: 1, expires: 1_000 })) taken++;
  return taken;
}
