import { create } from '@bufbuild/protobuf';
import { expect, it } from 'vitest';
import { createLog } from '../../process/log/log.ts';
import { natsOfTests } from '../../test/support/nats-of-tests.ts';
import {
  CorpusManifestSchema,
  type Document,
  DocumentSchema,
} from '../../wire/generated/fusemesh/v1/corpus_pb.ts';
import { openRunStreams } from '../../wire/nats/run-streams.ts';
import { DocumentKeeper } from './document-keeper.ts';

const log = createLog('test', { level: 'silent' });
const list: Document[] = Array.from({ length: 8 }, (_, number) =>
  create(DocumentSchema, { number: BigInt(number), text: `text ${number}` }),
);
const documents = { count: list.length, at: (number: number) => list[number] };
const manifest = create(CorpusManifestSchema, {
  documents: 8n,
  sha256: new Uint8Array(32),
  contextLength: 64,
});
const nats = natsOfTests();

it('publishes all once, and again from the first that is held when the stream is lost', async () => {
  const run = `kept-${process.pid}`;
  const streams = openRunStreams(nats.connection, run);
  await streams.ensure({ maxDocuments: 20, maxDistributions: 20 });
  const keeper = new DocumentKeeper({
    documents,
    manifest,
    streams,
    publish: streams.publishDocument,
    log,
  });
  const stop = new AbortController();
  const heard: string[] = [];
  const publishing = keeper.keepPublished({
    signal: stop.signal,
    onProgress: (published) => heard.push(`${published}`),
    onBegun: () => heard.push('begun'),
    onPublished: (ours) => heard.push(`all, ${ours} ours`),
  });
  await expect.poll(() => heard).toContain('all, 8 ours');
  expect(heard.slice(0, 3)).toEqual(['begun', '0', '1']);
  expect([await keeper.get(7), await keeper.get(8)]).toEqual([list[7], undefined]);

  await streams.releaseDocuments(5);
  // It looks every second.
  await new Promise((resolve) => setTimeout(resolve, 1_500));
  await nats.connection.manager.streams.delete(`fusemesh_${run}_documents`);
  await expect
    .poll(() => streams.publishedCorpus(), { timeout: 5_000 })
    .toMatchObject({ first: 5, last: 7, firstHeld: 5 });
  expect(heard.filter((line) => line.startsWith('all'))).toHaveLength(1);
  stop.abort();
  expect(await publishing).toBe(true);
});

it('publishes a manifest again that is lost while the stream is full, and goes on', async () => {
  const run = `full-${process.pid}`;
  const streams = openRunStreams(nats.connection, run);
  await streams.ensure({ maxDocuments: 3, maxDistributions: 20 });
  const keeper = new DocumentKeeper({ documents, manifest, streams, publish: streams.publishDocument, log });
  const stop = new AbortController();
  const none = () => {};
  const keeping = { signal: stop.signal, onProgress: none, onBegun: none, onPublished: none };
  const publishing = keeper.keepPublished(keeping);
  await expect.poll(async () => (await streams.publishedCorpus())?.last).toBe(2);

  await nats.connection.manager.streams.deleteMessage(`fusemesh_${run}_documents`, 1);
  // Nobody has room, and a trainer that starts waits for the manifest alone.
  await expect.poll(() => streams.readManifest(), { timeout: 5_000 }).toEqual(manifest);
  const released = () => streams.publishedCorpus().then((found) => streams.releaseDocuments(found!.last + 1));
  await expect
    .poll(() => released().then(() => streams.publishedCorpus()), { timeout: 10_000 })
    .toMatchObject({ last: 7 });
  stop.abort();
  expect(await publishing).toBe(true);
});

it('says that not all was published when it is stopped before', async () => {
  const streams = openRunStreams(nats.connection, `stopped-${process.pid}`);
  await streams.ensure({ maxDocuments: 3, maxDistributions: 20 });
  const keeper = new DocumentKeeper({
    documents,
    manifest,
    streams,
    publish: streams.publishDocument,
    log,
  });
  const none = () => {};
  const signal = AbortSignal.timeout(500);
  expect(await keeper.keepPublished({ signal, onProgress: none, onBegun: none, onPublished: none })).toBe(
    false,
  );
  expect((await streams.publishedCorpus())?.last).toBe(2);
});
