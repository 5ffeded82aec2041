import { create } from '@bufbuild/protobuf';
import { beforeEach, describe, expect, it } from 'vitest';
import { natsOfTests } from '../../test/support/nats-of-tests.ts';
import { documentToBytes } from '../codec/document-bytes.ts';
import {
  CorpusManifestSchema,
  type Document,
  DocumentSchema,
  RolloutSchema,
} from '../generated/fusemesh/v1/corpus_pb.ts';
import { connectNats } from './connection.ts';
import { runNames } from './names.ts';
import { openRunStreams, type RunStreams } from './run-streams.ts';

const manifest = create(CorpusManifestSchema, {
  documents: 20n,
  sha256: new Uint8Array(32).fill(1),
  contextLength: 64,
});
const document = (number: number): Document =>
  create(DocumentSchema, { number: BigInt(number), text: `text ${number}` });
const never = new AbortController().signal;

const nats = natsOfTests();
let run: string;
let streams: RunStreams;
let runs = 0;

beforeEach(async () => {
  run = `heal-${process.pid}-${runs++}`;
  streams = openRunStreams(nats.connection, run);
  await streams.ensure({ maxDocuments: 50, maxDistributions: 50 });
  await streams.publishManifest(manifest);
});

/** Publishes documents as a feeder that has just looked at the stream. */
async function publish(from: number, until: number): Promise<void> {
  const numbering = await streams.publishedCorpus();
  for (let d = from; d < until; d++) {
    expect(await streams.publishDocument(document(d), { signal: never, numbering: numbering! })).toBe(true);
  }
}

/** As an operator does who removes a stream without asking, or a disk that forgets it. */
const lose = (stream: 'documentsStream' | 'distributionsStream') =>
  nats.connection.manager.streams.delete(runNames(run)[stream]);

describe('streams that are lost', () => {
  it('are made again by who publishes, with their limits', async () => {
    await lose('distributionsStream');
    await streams.publishDistribution('orator', 3, Uint8Array.of(3), { signal: never });
    const { config } = await nats.connection.manager.streams.info(runNames(run).distributionsStream);
    expect(config).toMatchObject({ max_msgs_per_subject: 51, discard_new_per_subject: true });
  });

  it('are read from their new beginning, in another life', async () => {
    const reading = streams.readDistributions('orator', { signal: never })[Symbol.asyncIterator]();
    for (const d of [0, 1, 2]) {
      await streams.publishDistribution('orator', d, Uint8Array.of(d), { signal: never });
      expect((await reading.next()).value.bytes[0]).toBe(d);
    }
    const upcoming = reading.next();
    await lose('distributionsStream');
    await streams.publishDistribution('orator', 7, Uint8Array.of(7), { signal: never });
    const first = (await upcoming).value;
    expect([first.bytes[0], first.position]).toEqual([7, 1]);
    // What was read in the life before says nothing of this one.
    await streams.releaseDistributions('orator', { position: 3, life: 'another' });
    const { state } = await nats.connection.manager.streams.info(runNames(run).distributionsStream);
    expect(state.messages).toBe(1);
    await reading.return?.();
  });

  it('give a teacher all documents again', async () => {
    await publish(0, 3);
    const consuming = streams.consumeDocuments('orator', { batch: 2, signal: never })[Symbol.asyncIterator]();
    for (const d of [0, 1, 2]) {
      const { value } = await consuming.next();
      expect(Number(value.document.number)).toBe(d);
      await value.ack();
    }
    const upcoming = consuming.next();
    await lose('documentsStream');
    await streams.publishManifest(manifest, { first: 2 });
    await publish(2, 4);
    expect(Number((await upcoming).value.document.number)).toBe(2);
    await consuming.return?.();
  });

  it('go on with the first document that is still needed', async () => {
    await publish(0, 10);
    await lose('documentsStream');
    expect(await streams.publishDocument(document(10), { signal: never })).toBe(false);
    await streams.publishManifest(manifest, { first: 6 });
    expect(await streams.publishedCorpus()).toMatchObject({ first: 6, last: 5, firstHeld: 6 });
    await publish(6, 12);
    await streams.releaseDocuments(9);
    expect(await streams.publishedCorpus()).toMatchObject({ first: 6, last: 11, firstHeld: 9 });
    const [next] = await readNumbers(1);
    expect(next).toBe(9);
  });

  it('refuse another corpus when they are made again', async () => {
    await lose('documentsStream');
    await streams.publishManifest({ ...manifest, documents: 3n });
    await expect(streams.publishManifest(manifest)).rejects.toMatchObject({ code: 'already_exists' });
  });
});

it('a manifest that is lost alone begins the numbering anew behind what is there', async () => {
  await publish(0, 5);
  await nats.connection.manager.streams.deleteMessage(runNames(run).documentsStream, 1);
  expect(await streams.publishedCorpus()).toBeUndefined();
  await streams.publishManifest(manifest, { first: 3 });
  expect(await streams.publishedCorpus()).toMatchObject({ manifestPosition: 7, first: 3, last: 2 });
  await publish(3, 6);
  expect(await readNumbers(8)).toEqual([0, 1, 2, 3, 4, 3, 4, 5]);
});

it('a feeder gives a document that is published, to those alone who mean its corpus', async () => {
  expect(await streams.requestDocument('ab', 1)).toBe('no feeder');
  const own = await connectNats(nats.url, 'feeder');
  let over = false;
  const rollout = create(RolloutSchema, { tokens: 1, weightsStep: 3n });
  const written = create(DocumentSchema, { number: 2n, turns: [{ content: 'a', learnt: true }], rollout });
  openRunStreams(own, run).answerCorpusRequests({
    corpus: 'ab',
    published: (number) => [document(0), document(1), written].at(number),
    runOver: () => {
      over = true;
    },
  });
  await own.raw.flush();
  expect(await streams.requestDocument('ab', 1)).toEqual({
    number: 1,
    text: document(1).text,
    turns: [],
    tools: '',
    bytes: Buffer.from(documentToBytes(document(1))),
  });
  expect(await streams.requestDocument('ab', 2)).toMatchObject({ number: 2, rollout });
  expect(await streams.requestDocument('ab', 5)).toBe('not published');
  await expect(streams.requestDocument('cd', 1)).rejects.toMatchObject({ code: 'already_exists' });
  await streams.tellRunOver();
  expect(over).toBe(true);
  await own.close();
});

async function readNumbers(count: number): Promise<number[]> {
  const numbers: number[] = [];
  for await (const { document: read } of streams.readDocuments({ from: 0, signal: never })) {
    if (numbers.push(Number(read.number)) === count) break;
  }
  return numbers;
}
