import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { create } from '@bufbuild/protobuf';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { startSecuredNats } from '../../test/support/secured-nats-server.ts';
import { CorpusManifestSchema, DocumentSchema } from '../generated/fusemesh/v1/corpus_pb.ts';
import { connectNats, type NatsConnection } from './connection.ts';
import { openDeadLetterBox } from './dead-letter-box.ts';
import { runNames } from './names.ts';
import { openRunStreams, type RunStreams } from './run-streams.ts';

let directory: string;
let server: Awaited<ReturnType<typeof startSecuredNats>>;
let connection: NatsConnection;
let run: string;
let streams: RunStreams;
let runs = 0;
const { signal } = new AbortController();

beforeAll(async () => {
  // With NATS's own limit of 1 MB.
  directory = await mkdtemp(join(tmpdir(), 'fusemesh-parts-'));
  server = await startSecuredNats(directory, []);
  connection = await connectNats(`nats://127.0.0.1:${server.port}`, 'test');
});
afterAll(async () => {
  await connection?.close();
  await server?.stop();
  await rm(directory, { recursive: true, force: true });
});
beforeEach(async () => {
  run = `parts-${process.pid}-${runs++}`;
  streams = openRunStreams(connection, run);
  await streams.ensure({ maxDocuments: 10, maxDistributions: 2 });
});

const publish = (document: number, bytes: Uint8Array) =>
  streams.publishDistribution('orator', document, bytes, { signal });
const held = async () => (await connection.manager.streams.info(runNames(run).partsStream)).state.messages;

/** So many distributions of the stream, as their reader gets them. */
async function read(count: number): Promise<Uint8Array[]> {
  const found: Uint8Array[] = [];
  for await (const { bytes } of streams.readDistributions('orator', { signal })) {
    if (found.push(bytes) === count) break;
  }
  return found;
}
const same = (read: readonly Uint8Array[], sent: readonly Uint8Array[]) =>
  read.length === sent.length && read.every((bytes, i) => Buffer.compare(bytes, sent[i]) === 0);

it('carries what is larger than a message may be, once and in order, and makes room again', async () => {
  const sent = [randomBytes(5_000_000), randomBytes(100), randomBytes(3_000_001)];
  await publish(0, sent[0]);
  await publish(1, sent[1]);
  // A replica that scored the same once more, and one whose processor gives other bits.
  await publish(0, sent[0]);
  const parts = await held();
  await publish(0, randomBytes(2_000_000));
  await publish(2, sent[2]);
  expect(same(await read(3), sent)).toBe(true);
  expect(parts).toBe(8);
  // Three are in the stream, which takes two and one: however many parts they have.
  const late = streams.publishDistribution('orator', 3, sent[2], { signal: AbortSignal.timeout(1_000) });
  await expect(late).rejects.toMatchObject({ code: 'cancelled' });
  await streams.publishManifest(manifest);
  await streams.releaseDocuments(2);
  const { state } = await connection.manager.streams.info(runNames(run).partsStream, {
    subjects_filter: '>',
  });
  const subject = `fusemesh.${run}.parts.distributions.orator`;
  expect(Object.keys(state.subjects ?? {}).sort()).toEqual([`${subject}.2`, `${subject}.3`]);
});

it('passes over what a publisher that died has left of a message, and what has lost a part', async () => {
  const dying = new AbortController();
  const first = randomBytes(4_000_000);
  const left = streams.publishDistribution('orator', 0, first, { signal: dying.signal });
  await expect.poll(held).toBeGreaterThan(0);
  dying.abort();
  await left.catch(() => {});
  const again = randomBytes(4_000_000);
  await publish(0, again);
  await publish(1, randomBytes(2_000_000));
  const last = randomBytes(10);
  const { partsStream } = runNames(run);
  const { state } = await connection.manager.streams.info(partsStream);
  await connection.manager.streams.deleteMessage(partsStream, state.last_seq);
  await publish(2, last);
  const found = await read(2);
  expect([same(found, [again, last]), same(found, [first, last])]).toContain(true);
});

const text = 'Long. '.repeat(400_000);
const manifest = create(CorpusManifestSchema, {
  documents: 2n,
  sha256: new Uint8Array(32).fill(1),
  contextLength: 64,
});

it('carries long documents to teachers and trainer, and those that a feeder gives again', async () => {
  const documents = [0, 1].map((number) =>
    create(DocumentSchema, { number: BigInt(number), text: text + number }),
  );
  await streams.publishManifest(manifest);
  for (const document of documents) await streams.publishDocument(document, { signal });
  const taken: string[] = [];
  for await (const delivered of streams.consumeDocuments('orator', { batch: 2, signal })) {
    taken.push(delivered.document.text);
    await delivered.ack();
    if (taken.length === 2) break;
  }
  expect(taken).toEqual([`${text}0`, `${text}1`]);
  for await (const { document } of streams.readDocuments({ from: 0, signal })) {
    expect(document).toEqual({ number: 0, text: `${text}0`, turns: [], tools: '' });
    break;
  }
  const corpus = '01'.repeat(32);
  streams.answerCorpusRequests({ corpus, published: (number) => documents[number], runOver: () => {} });
  await connection.raw.flush();
  expect(await streams.requestDocument(corpus, 1)).toMatchObject({ number: 1, text: `${text}1` });
});

it('puts a large message aside whole, lists it as one, and publishes it again', async () => {
  const bytes = randomBytes(3_000_000);
  const letter = { stream: 'distributions', source: 'orator', position: 7, bytes, reason: 'torn' } as const;
  await streams.storeDeadLetter(letter, { signal });
  await streams.storeDeadLetter(letter, { signal });
  const box = openDeadLetterBox(connection, run);
  const letters = await box.list(signal);
  expect(letters).toMatchObject([{ source: 'orator', position: 7, bytes: 3_000_000 }]);
  const [, , deadLetters] = (await streams.look([])).streams;
  expect(deadLetters.messages).toBe(1);
  await box.replay(letters[0].number, signal);
  expect(same(await read(1), [bytes])).toBe(true);
  const { state } = await connection.manager.streams.info(runNames(run).deadLettersStream);
  expect(state.messages).toBe(0);
});
