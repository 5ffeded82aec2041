import { setTimeout as sleep } from 'node:timers/promises';
import { create } from '@bufbuild/protobuf';
import { describe, expect, it } from 'vitest';
import { natsOfTests } from '../../test/support/nats-of-tests.ts';
import { CorpusManifestSchema, type Document, DocumentSchema } from '../generated/fusemesh/v1/corpus_pb.ts';
import { connectNats } from './connection.ts';
import {
  type DeliveredDocument,
  openRunStreams,
  type RunStreams,
  type StreamPosition,
} from './run-streams.ts';

const nats = natsOfTests();
let runs = 0;

const never = new AbortController().signal;
const manifestOf = (sha256: number) =>
  create(CorpusManifestSchema, { documents: 9n, sha256: new Uint8Array(32).fill(sha256), contextLength: 64 });
const document = (number: number): Document =>
  create(DocumentSchema, { number: BigInt(number), text: `text ${number}`, domain: 'test' });

/** Streams of a run of their own, with the manifest and the first documents in them. */
async function startRun({ maxDocuments = 100, maxDistributions = 100, documents = 0 } = {}) {
  const run = `test-${process.pid}-${runs++}`;
  const streams = openRunStreams(nats.connection, run);
  await streams.ensure({ maxDocuments, maxDistributions });
  await streams.publishManifest(manifestOf(1));
  await publish(streams, 0, documents);
  return { run, streams };
}

async function publish(streams: RunStreams, from: number, until: number): Promise<void> {
  for (let d = from; d < until; d++) await streams.publishDocument(document(d), { signal: never });
}

/** The first items of an endless reading. */
async function take<T>(count: number, read: (signal: AbortSignal) => AsyncIterable<T>): Promise<T[]> {
  const abort = new AbortController();
  const items: T[] = [];
  if (count === 0) return items;
  for await (const item of read(abort.signal)) {
    items.push(item);
    if (items.length === count) abort.abort();
  }
  return items;
}

const lastPublished = async (streams: RunStreams) => (await streams.publishedCorpus())?.last;

const numbers = (delivered: readonly { document: { number: number | bigint } }[]) =>
  delivered.map(({ document: { number } }) => Number(number));

describe('documents', () => {
  it('publishes each once, however often it is published', async () => {
    const { streams } = await startRun();
    expect(await lastPublished(streams)).toBe(-1);
    await publish(streams, 0, 5);
    await streams.publishManifest(manifestOf(1));
    await Promise.all([publish(streams, 0, 7), publish(streams, 0, 7)]);
    expect(await lastPublished(streams)).toBe(6);
    const read = await take(7, (signal) => streams.readDocuments({ from: 0, signal }));
    expect(read.map(({ document }) => document)).toEqual(
      Array.from({ length: 7 }, (_, d) => ({ number: d, text: `text ${d}`, turns: [], tools: '' })),
    );
  });

  it('refuses another corpus under the same run', async () => {
    const { run, streams } = await startRun();
    await expect(streams.publishManifest(manifestOf(2))).rejects.toMatchObject({
      code: 'already_exists',
      message: expect.stringContaining(run),
    });
    expect(await streams.readManifest()).toEqual(manifestOf(1));
  });

  it('refuses a document out of order', async () => {
    const { streams } = await startRun({ documents: 2 });
    expect(await streams.publishDocument(document(3), { signal: never })).toBe(false);
    expect(await lastPublished(streams)).toBe(1);
  });

  it('waits while the stream is full, and goes on when a checkpoint releases documents', async () => {
    const { streams } = await startRun({ maxDocuments: 4, documents: 4 });
    let published = false;
    const waiting = streams.publishDocument(document(4), { signal: never }).then(() => {
      published = true;
    });
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(published).toBe(false);
    await streams.releaseDocuments(2);
    await waiting;
    expect(numbers(await take(3, (signal) => streams.readDocuments({ from: 2, signal })))).toEqual([2, 3, 4]);
  });

  it('stops waiting when aborted', async () => {
    const { streams } = await startRun({ maxDocuments: 1, documents: 1 });
    const signal = AbortSignal.timeout(200);
    await expect(streams.publishDocument(document(1), { signal })).rejects.toMatchObject({
      code: 'cancelled',
    });
    expect(await lastPublished(streams)).toBe(0);
  });

  it('keeps the manifest and the numbering when everything is released', async () => {
    const { streams } = await startRun({ documents: 3 });
    await streams.releaseDocuments(3);
    expect(await streams.readManifest()).toEqual(manifestOf(1));
    expect(await lastPublished(streams)).toBe(2);
    await publish(streams, 0, 5);
    expect(numbers(await take(2, (signal) => streams.readDocuments({ from: 0, signal })))).toEqual([3, 4]);
  });

  it('begins where asked and waits for those to come', async () => {
    const { streams } = await startRun({ documents: 3 });
    const reading = take(4, (signal) => streams.readDocuments({ from: 1, signal }));
    await new Promise((resolve) => setTimeout(resolve, 200));
    await publish(streams, 3, 5);
    expect(numbers(await reading)).toEqual([1, 2, 3, 4]);
  });

  it('reads many more than it fetches at a time, in order', async () => {
    const { streams } = await startRun({ maxDocuments: 300, documents: 200 });
    const read = await take(200, (signal) => streams.readDocuments({ from: 0, signal }));
    expect(numbers(read)).toEqual(Array.from({ length: 200 }, (_, d) => d));
  });
});

describe('a teacher', () => {
  const consume = (streams: RunStreams, count: number) =>
    take(count, (signal) => streams.consumeDocuments('orator', { batch: 2, signal }));
  const acknowledge = async (delivered: readonly DeliveredDocument[]) => {
    for (const { ack } of delivered) await ack();
  };

  it('gets every document once when it acknowledges', async () => {
    const { streams } = await startRun({ documents: 5 });
    const first = await consume(streams, 3);
    await acknowledge(first);
    const second = await consume(streams, 2);
    await acknowledge(second);
    expect([...numbers(first), ...numbers(second)].sort()).toEqual([0, 1, 2, 3, 4]);
  });

  it('shares documents with its replicas, not with other teachers', async () => {
    const { streams } = await startRun({ documents: 8 });
    const abort = new AbortController();
    const seen: Record<string, number[]> = { orator: [], novelist: [] };
    const work = async (teacher: string) => {
      for await (const { document: d, ack } of streams.consumeDocuments(teacher, {
        batch: 2,
        signal: abort.signal,
      })) {
        seen[teacher].push(Number(d.number));
        await ack();
        if (seen['orator'].length + seen['novelist'].length >= 16) abort.abort();
      }
    };
    await Promise.all([work('orator'), work('orator'), work('novelist')]);
    expect(seen['orator'].sort()).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
    expect(seen['novelist']).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
  });

  it('gets a document again that it did not acknowledge', async () => {
    const { run, streams } = await startRun({ documents: 1 });
    expect(numbers(await consume(streams, 1))).toEqual([0]);
    // As if 30 s had gone by.
    await nats.connection.manager.consumers.update(`fusemesh_${run}_documents`, 'teacher_orator', {
      ack_wait: 200_000_000,
    });
    const [again] = await consume(streams, 1);
    expect(Number(again.document.number)).toBe(0);
    await again.ack();
    const { num_ack_pending, num_pending } = await nats.connection.manager.consumers.info(
      `fusemesh_${run}_documents`,
      'teacher_orator',
    );
    expect({ num_ack_pending, num_pending }).toEqual({ num_ack_pending: 0, num_pending: 0 });
  });

  it('hands back at once what it fetched and did not use', async () => {
    const { streams } = await startRun({ documents: 4 });
    const abort = new AbortController();
    for await (const _ of streams.consumeDocuments('orator', { batch: 4, signal: abort.signal })) {
      abort.abort();
    }
    expect(numbers(await consume(streams, 3)).sort()).toEqual([1, 2, 3]);
  });
});

describe('distributions', () => {
  const bytes = (n: number) => Uint8Array.of(n, n + 1);
  const read = (streams: RunStreams, teacher: string, count: number, after?: StreamPosition) =>
    take(count, (signal) => streams.readDistributions(teacher, { after, signal }));

  it('keeps second copies out and teachers apart', async () => {
    const { streams } = await startRun();
    for (const teacher of ['orator', 'novelist', 'orator']) {
      for (const d of [0, 1]) await streams.publishDistribution(teacher, d, bytes(d), { signal: never });
    }
    await streams.publishDistribution('orator', 2, bytes(2), { signal: never });
    const orator = await read(streams, 'orator', 3);
    expect(orator.map((m) => [...m.bytes])).toEqual([
      [0, 1],
      [1, 2],
      [2, 3],
    ]);
    expect(orator.map(({ position }) => position)).toEqual([1, 2, 5]);
    expect((await read(streams, 'orator', 1, orator[1]))[0].position).toBe(5);
    expect((await read(streams, 'novelist', 2)).map(({ position }) => position)).toEqual([3, 4]);
  });

  it('makes a teacher wait that is ahead, and no other, and drops nothing', async () => {
    const { streams } = await startRun({ maxDistributions: 1 });
    let waits = 0;
    let published = 0;
    const publishing = (async () => {
      for (let d = 0; d < 6; d++) {
        await streams.publishDistribution('orator', d, bytes(d), { signal: never, onWait: () => waits++ });
        published++;
      }
    })();
    await expect.poll(() => waits).toBe(1);
    await streams.publishDistribution('novelist', 0, bytes(0), { signal: never });
    expect(published).toBe(2);

    const places: StreamPosition[] = [];
    const received = await take(6, async function* (signal) {
      for await (const message of streams.readDistributions('orator', { signal })) {
        places.push(message);
        yield message.bytes[0];
        if (places.length % 2 === 0) await streams.releaseDistributions('orator', places.at(-1)!);
      }
    });
    await publishing;
    expect(received).toEqual([0, 1, 2, 3, 4, 5]);
    expect([...(await read(streams, 'novelist', 1))[0].bytes]).toEqual([0, 1]);
  });

  it('stores several that are on their way at once in their order, however long each has waited', async () => {
    const { streams } = await startRun({ maxDistributions: 1 });
    const published: Promise<void>[] = [];
    const publishNext = () =>
      new Promise<void>((waits) => {
        const d = published.length;
        const options = { signal: never, before: published[d - 1], onWait: waits };
        published.push(streams.publishDistribution('orator', d, bytes(d), options).finally(waits));
      });
    await publishNext();
    await publishNext();
    // The second tries rarely by now, and would come last of those that have only just found the stream full.
    await sleep(700);
    await Promise.all([publishNext(), publishNext(), publishNext()]);
    const received = await take(5, async function* (signal) {
      for await (const message of streams.readDistributions('orator', { signal })) {
        yield message.bytes[0];
        await streams.releaseDistributions('orator', message);
      }
    });
    await Promise.all(published);
    expect(received).toEqual([0, 1, 2, 3, 4]);
  });

  it('removes single ones, which makes room; those that are gone are passed over', async () => {
    const { streams } = await startRun({ maxDistributions: 2 });
    for (let d = 0; d < 3; d++) await streams.publishDistribution('orator', d, bytes(d), { signal: never });
    const [, second] = await read(streams, 'orator', 3);
    const waiting = streams.publishDistribution('orator', 3, bytes(3), { signal: never });
    await streams.removeDistributions([second.position], 'another');
    expect((await read(streams, 'orator', 3)).map((message) => message.bytes[0])).toEqual([0, 1, 2]);
    await streams.removeDistributions([second.position, second.position], second.life);
    await waiting;
    expect((await read(streams, 'orator', 3)).map((message) => message.bytes[0])).toEqual([0, 2, 3]);
  });

  it('refuses what no reader would put together', async () => {
    const { streams } = await startRun();
    const large = new Uint8Array(257 * 1024 * 1024);
    await expect(streams.publishDistribution('orator', 0, large, { signal: never })).rejects.toMatchObject({
      code: 'failed_precondition',
      message: expect.stringContaining('lower topK'),
    });
  });
});

it('releasing documents forgets none that are in hand: they are delivered again', async () => {
  const { streams } = await startRun({ documents: 8 });
  const abort = new AbortController();
  const first: DeliveredDocument[] = [];
  for await (const delivered of streams.consumeDocuments('orator', { batch: 8, signal: abort.signal })) {
    first.push(delivered);
    if (delivered.document.number < 4n) await delivered.ack();
    if (first.length === 8) abort.abort();
  }
  // A teacher that was killed with documents 4 to 7 in hand; then a checkpoint covers the others.
  await streams.releaseDocuments(4);
  const again = await take(4, (signal) => streams.consumeDocuments('orator', { batch: 8, signal }));
  expect(numbers(again).sort()).toEqual([4, 5, 6, 7]);
}, 30_000);

describe('trace context', () => {
  const traceparent = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`;

  it('travels with a message, and stays that of the first copy', async () => {
    const { streams } = await startRun();
    await streams.publishDocument(document(0), { signal: never, traceparent });
    await streams.publishDocument(document(0), { signal: never, traceparent: traceparent.replace('a', 'c') });
    const consumed = await take(1, (signal) => streams.consumeDocuments('orator', { batch: 1, signal }));
    const read = await take(1, (signal) => streams.readDocuments({ from: 0, signal }));
    await streams.publishDistribution('orator', 0, new Uint8Array(1), { signal: never, traceparent });
    const distributions = await take(1, (signal) => streams.readDistributions('orator', { signal }));
    for (const [message] of [consumed, read, distributions]) expect(message.traceparent()).toBe(traceparent);
  });

  it('adds nothing to a message without one', async () => {
    const { run, streams } = await startRun({ documents: 1 });
    const [read] = await take(1, (signal) => streams.readDocuments({ from: 0, signal }));
    expect(read.traceparent()).toBeUndefined();
    const { header } = await nats.connection.manager.streams.getMessage(`fusemesh_${run}_documents`, {
      seq: 2,
    });
    expect([...header.keys()]).toEqual(['Nats-Expected-Last-Sequence']);
  });
});

describe('a run', () => {
  it('takes other limits while it goes', async () => {
    const { streams } = await startRun({ maxDocuments: 2, documents: 2 });
    await streams.ensure({ maxDocuments: 4, maxDistributions: 100 });
    await publish(streams, 2, 4);
    expect(await lastPublished(streams)).toBe(3);
  });

  it('is made by several processes at once', async () => {
    const limits = { maxDocuments: 5, maxDistributions: 5 };
    const { run } = await startRun();
    const others = await Promise.all(['a', 'b', 'c'].map((name) => connectNats(nats.url, name)));
    const streams = others.map((other) => openRunStreams(other, `${run}-new`));
    await Promise.all(streams.map((each) => each.ensure(limits)));
    expect(await streams[1].publishedCorpus()).toBeUndefined();
    await Promise.all(others.map((other) => other.close()));
  });

  it('can be removed, twice, and begun again with another corpus', async () => {
    const { streams } = await startRun({ documents: 2 });
    await streams.remove();
    await streams.remove();
    expect(await streams.readManifest()).toBeUndefined();
    await streams.ensure({ maxDocuments: 4, maxDistributions: 4 });
    await streams.publishManifest(manifestOf(2));
    await publish(streams, 0, 1);
    expect(await lastPublished(streams)).toBe(0);
  });
});

describe('connectNats', () => {
  it('names the address where nothing answers and what to do', async () => {
    await expect(connectNats('nats://127.0.0.1:1', 'test')).rejects.toMatchObject({
      code: 'unavailable',
      message: expect.stringMatching(/nats:\/\/127\.0\.0\.1:1 .*nats-server -js/),
    });
  });
});
