import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { create } from '@bufbuild/protobuf';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { FuseMeshError } from '../../errors/fusemesh-error.ts';
import { Tokenizer } from '../../model/tokenizer/tokenizer.ts';
import { runConfigSchema } from '../../process/config/schema.ts';
import { createLog } from '../../process/log/log.ts';
import { startNatsServer, type TestNatsServer } from '../../test/support/nats-server.ts';
import { decodeTextDistribution } from '../../wire/codec/decode-text-distribution.ts';
import { distributionFromBytes } from '../../wire/codec/distribution-bytes.ts';
import { CorpusManifestSchema, DocumentSchema } from '../../wire/generated/fusemesh/v1/corpus_pb.ts';
import { FinishReason, TeacherService } from '../../wire/generated/fusemesh/v1/teacher_pb.ts';
import { type Client, createClient } from '../../wire/grpc/client.ts';
import { downloadTokenizer } from '../../wire/grpc/download-tokenizer.ts';
import { connectNats, type NatsConnection } from '../../wire/nats/connection.ts';
import { openDeadLetterBox } from '../../wire/nats/dead-letter-box.ts';
import { runNames } from '../../wire/nats/names.ts';
import { openRunStreams, type RunStreams } from '../../wire/nats/run-streams.ts';
import { OnnxModel } from './backends/onnx-model.ts';
import type { LoadModel } from './load-model.ts';
import { runTeacher, type TeacherAddresses } from './main.ts';
import type { TeacherSettings } from './teacher-settings.ts';

const zoo = fileURLToPath(new URL('../../examples/zoo/', import.meta.url));
const run = `teacher-test-${process.pid}`;
const documents = Array.from({ length: 12 }, (_, number) => ({
  number: BigInt(number),
  text: `Fellow citizens, this is letter number ${number} to the Senate. ${'We are at peace. '.repeat(number % 4)}`,
  domain: 'speeches',
}));

let nats: TestNatsServer;
let connection: NatsConnection;
let streams: RunStreams;
let client: Client<typeof TeacherService>;
let addresses: TeacherAddresses;
let served: Promise<void>;
const stop = new AbortController();

beforeAll(async () => {
  nats = await startNatsServer();
  connection = await connectNats(nats.url, 'teacher test');
  streams = openRunStreams(connection, run);
  const config = runConfigSchema.parse({
    run,
    nats: { url: nats.url, maxDocuments: 64, maxDistributions: 4 },
    contextLength: 128,
    corpus: [{ domain: 'speeches', path: 'unused.txt' }],
    topK: 5,
    teachers: [{ name: 'orator', address: '127.0.0.1:0', model: `${zoo}orator`, batchDocuments: 3 }],
    target: { model: `${zoo}target` },
    trainer: { output: 'unused' },
  });
  await streams.ensure(config.nats);
  addresses = await new Promise<TeacherAddresses>((resolve, reject) => {
    const log = createLog('teacher orator', { level: 'silent' });
    served = runTeacher(config, 'orator', { signal: stop.signal, log, onReady: resolve });
    served.catch(reject);
  });
  client = createClient(TeacherService, addresses.grpc);
});

afterAll(async () => {
  stop.abort();
  await served;
  client?.close();
  await streams?.remove();
  await connection?.close();
  await nats?.stop();
});

test('says what model it is and hands out its tokenizer whole', async () => {
  const tokenizer = Tokenizer.fromJson(await downloadTokenizer(client));
  const own = await Tokenizer.fromFile(`${zoo}orator/tokenizer.json`);
  expect(tokenizer.fingerprint).toEqual(own.fingerprint);

  const card = await client.getModelCard({});
  expect(card).toMatchObject({ name: 'orator', family: 'llama' });
  expect(Buffer.compare(card.tokenizerFingerprint, own.fingerprint)).toBe(0);
  expect(card.parameters).toBeGreaterThan(100_000n);
});

test('scores one text now', async () => {
  const { distribution } = await client.score({ text: 'The state of the Union is strong.', topK: 3 });
  expect(distribution).toMatchObject({ teacher: 'orator', topK: 3 });
  expect(distribution!.predictedTokens).toBeGreaterThan(3);
  expect(distribution!.crossEntropy).toBeGreaterThan(0);
});

test('scores with as many candidates as hold the share that is asked for', async () => {
  const request = { text: 'The state of the Union is strong.', topK: 40 };
  const { distribution: all } = await client.score(request);
  const { distribution: most } = await client.score({ ...request, topP: 0.6 });
  expect([all!.schemaVersion, most!.schemaVersion]).toEqual([2, 3]);
  expect(most!.tokenLogProbabilities).toEqual(all!.tokenLogProbabilities);
  expect(most!.crossEntropy).toBe(all!.crossEntropy);
  const [ofAll, ofMost] = [all!, most!].map(decodeTextDistribution);
  for (const [row, mass] of ofMost.keptMass.entries()) {
    expect(mass).toBeGreaterThanOrEqual(0.6 * ofAll.keptMass[row] - 1e-4);
    expect(mass).toBeLessThan(ofAll.keptMass[row]);
    expect(ofMost.logProbabilities[40 * row + 39]).toBe(Number.NEGATIVE_INFINITY);
  }
  for (const topP of [-0.1, 1.1, Number.NaN]) {
    await expect(client.score({ ...request, topP })).rejects.toThrow(`top_p is ${topP}; use 0 to 1`);
  }
});

test('scores a conversation as its template reads it, with spans in what is said', async () => {
  const turns = [
    { role: 'user', content: 'How is the Union?' },
    { role: 'assistant', content: 'It is strong.', learnt: true },
  ];
  const { chatFormat } = await client.getModelCard({});
  expect(chatFormat?.template).toBe('');
  const { distribution } = await client.score({ turns, topK: 3 });
  const { ends, starts } = decodeTextDistribution(distribution!);
  // One byte before each turn, one for its end, and one behind the last; no token ends what the user says.
  expect(ends).toContain(2 + 'How is the Union?'.length);
  expect(ends).toContain(3 + 'How is the Union?It is strong.'.length);
  expect(ends.at(-1)).toBeLessThanOrEqual(5 + 'How is the Union?It is strong.'.length);
  expect(starts.every((start, i) => i === 0 || start >= starts[i - 1])).toBe(true);

  const refusals = [
    { turns, text: 'Both.', topK: 3 },
    { turns: [{ role: 'user', content: 'x', extras: '[]' }], topK: 3 },
    { turns: [...turns, { role: '', content: 'Nobody.' }], topK: 3 },
  ];
  for (const request of refusals) {
    await expect(client.score(request)).rejects.toMatchObject({ code: 'invalid_argument' });
  }
});

test('refuses a text that it cannot score, and says why', async () => {
  const refusal = (text: string, topK: number) => client.score({ text, topK }).catch((error) => error);
  for (const [text, topK] of [
    ['', 3],
    ['Hello.', 0],
    ['Hello.', 1_000_000],
    ['Hello. '.repeat(2000), 3],
  ] as const) {
    const error = await refusal(text, topK);
    expect(error).toBeInstanceOf(FuseMeshError);
    expect(error.code).toBe('invalid_argument');
  }
});

async function generated(request: Parameters<typeof client.generate>[0]) {
  let text = '';
  for await (const response of client.generate(request)) {
    text += response.text;
    if (response.finishReason !== FinishReason.UNSPECIFIED) return { ...response, text };
  }
  throw new Error('the stream ended without a reason');
}

test('goes on with a prompt: greedily, or by a seed', async () => {
  const prompt = 'Fellow citizens of the Senate and';
  const greedy = await generated({ prompt, maxTokens: 12 });
  expect(greedy).toMatchObject({ tokens: 12, finishReason: FinishReason.LENGTH });
  expect(greedy.text).toMatch(/^ \S/);
  expect(await generated({ prompt, maxTokens: 12 })).toEqual(greedy);

  const drawn = { prompt, maxTokens: 12, temperature: 1.5, topP: 0.95, seed: 1 };
  expect(await generated(drawn)).toEqual(await generated(drawn));
  expect((await generated(drawn)).text).not.toBe((await generated({ ...drawn, seed: 2 })).text);

  const stop = greedy.text.slice(4, 8);
  const stopped = await generated({ prompt, stop: [stop] });
  expect(stopped).toMatchObject({
    text: greedy.text.slice(0, greedy.text.indexOf(stop)),
    finishReason: FinishReason.STOP,
  });
});

test('several texts grow at a time, and each is what it is alone', async () => {
  const prompts = ['The Congress', 'Our navy and', 'Gentlemen of'];
  const alone: string[] = [];
  for (const prompt of prompts) alone.push((await generated({ prompt, maxTokens: 10 })).text);
  const together = await Promise.all(prompts.map((prompt) => generated({ prompt, maxTokens: 10 })));
  expect(together.map(({ text }) => text)).toEqual(alone);
});

test('refuses to generate from what makes no sense', async () => {
  for (const request of [
    { prompt: 'Hello. '.repeat(2000) },
    { prompt: 'Hello.', temperature: -1 },
    { prompt: 'Hello.', topP: 1.5 },
    { prompt: 'Hello.', stop: [''] },
  ]) {
    await expect(generated(request)).rejects.toMatchObject({ code: 'invalid_argument' });
  }
});

test('stops generating when the caller goes away', async () => {
  const cancel = new AbortController();
  const stream = client.generate({ prompt: 'Fellow citizens' }, { signal: cancel.signal });
  let pieces = 0;
  await expect(
    (async () => {
      for await (const _ of stream) if (++pieces === 3) cancel.abort();
    })(),
  ).rejects.toMatchObject({ code: 'cancelled' });
  expect(pieces).toBeLessThan(20);
});

test('is not attached to a run before somebody asks for it', async () => {
  await expect(client.detachRun({ run })).rejects.toMatchObject({ code: 'not_found' });
  const watch = client.watchRun({ run })[Symbol.asyncIterator]();
  await expect(watch.next()).rejects.toMatchObject({ code: 'not_found' });
});

test('scores every document of a run once, waits while the stream is full, and leaves when told', async () => {
  await streams.publishManifest(
    create(CorpusManifestSchema, {
      documents: BigInt(documents.length),
      sha256: new Uint8Array(32),
      contextLength: 128,
    }),
  );
  for (const document of documents) {
    await streams.publishDocument(create(DocumentSchema, document), { signal: stop.signal });
  }
  const attach = (topK: number, topP: number) => client.attachRun({ run, teacher: 'orator', topK, topP });
  await attach(5, 0.9);
  await attach(5, 0.9);
  await expect(attach(6, 0.9)).rejects.toMatchObject({ code: 'failed_precondition' });
  await expect(attach(5, 0)).rejects.toThrow('top_k 5 and top_p 0.9: detach it first');

  // The stream holds four: the teacher stops there until somebody makes room.
  for await (const { status } of client.watchRun({ run })) {
    if (status!.waitingForRoom) break;
  }

  const reading = new AbortController();
  const read: number[] = [];
  for await (const message of streams.readDistributions('orator', { signal: reading.signal })) {
    const distribution = distributionFromBytes(message.bytes);
    read.push(distribution.document);
    const { text } = documents[distribution.document];
    expect(distribution.ends.at(-1)).toBe(text.length);
    expect(distribution.candidateIds).toHaveLength(5 * distribution.tokenIds.length);
    expect(distribution.logProbabilities).toContain(Number.NEGATIVE_INFINITY);
    await streams.releaseDistributions('orator', message);
    if (read.length === documents.length) reading.abort();
  }
  expect(read.sort((a, b) => a - b)).toEqual(documents.map(({ number }) => Number(number)));

  const statuses = client.watchRun({ run })[Symbol.asyncIterator]();
  await expect
    .poll(async () => (await statuses.next()).value?.status, { timeout: 5000 })
    .toMatchObject({ documentsScored: 12n, documentsInHand: 0, waitingForRoom: false });
  await client.detachRun({ run });
  while (!(await statuses.next()).done) await sleep(1);
  await expect(client.detachRun({ run })).rejects.toMatchObject({ code: 'not_found' });

  const metrics = await (await fetch(`http://127.0.0.1:${addresses.metricsPort}/metrics`)).text();
  expect(metrics).toMatch(/fusemesh_teacher_documents_scored_total\{[^}]*teacher="orator"[^}]*\} 12/);
  const waited = /fusemesh_teacher_publish_wait_seconds_total\{[^}]*\} (\S+)/.exec(metrics)?.[1];
  expect(Number(waited)).toBeGreaterThan(0);
  expect(metrics).toMatch(/fusemesh_teacher_documents_in_hand\{[^}]*\} 0/);
  const tokens = (of: string) =>
    Number(new RegExp(`fusemesh_teacher_tokens_${of}_total\\{[^}]*\\} (\\S+)`).exec(metrics)?.[1]);
  expect(tokens('published')).toBeGreaterThan(0);
  expect(tokens('published')).toBe(tokens('scored'));
  expect(metrics).toContain('fusemesh_nats_connected 1');
  expect(metrics).toMatch(
    /grpc_server_handling_seconds_count\{service="fusemesh.v1.TeacherService",method="AttachRun",code="FAILED_PRECONDITION"\} 2/,
  );
});

test('puts documents aside that it cannot score, says so to the trainer, and goes on', async () => {
  const other = openRunStreams(connection, `${run}-letters`);
  await other.ensure({ maxDocuments: 64, maxDistributions: 64 });
  const { signal } = new AbortController();
  const names = runNames(`${run}-letters`);
  await other.publishManifest(create(CorpusManifestSchema, { documents: 4n, contextLength: 128 }));
  const texts = ['We are at peace.', 'Hello. '.repeat(3_000), undefined, 'The state of the Union.'];
  for (const [number, text] of texts.entries()) {
    if (text === undefined)
      await connection.raw.jetstream().publish(names.documentsSubject, Uint8Array.of(8, 9));
    else await other.publishDocument(create(DocumentSchema, { number: BigInt(number), text }), { signal });
  }
  await client.attachRun({ run: `${run}-letters`, teacher: 'orator', topK: 5 });
  const said = new Map<number, string | undefined>();
  for await (const { bytes } of other.readDistributions('orator', { signal })) {
    const { document, refusal } = distributionFromBytes(bytes);
    said.set(document, refusal);
    if (said.size === 3) break;
  }
  expect([...said.keys()].sort()).toEqual([0, 1, 3]);
  expect(said.get(0)).toBeUndefined();
  expect(said.get(1)).toMatch(/split the text/);

  const box = openDeadLetterBox(connection, `${run}-letters`);
  await expect.poll(async () => (await box.list(signal)).length, { timeout: 10_000 }).toBe(2);
  const letters = await box.list(signal);
  expect(letters.map(({ source, position }) => [source, position]).sort()).toEqual([
    ['feeder', 3],
    ['feeder', 4],
  ]);
  const consumer = await connection.manager.consumers.info(names.documentsStream, 'teacher_orator');
  expect([consumer.num_pending, consumer.num_ack_pending]).toEqual([0, 0]);
  const metrics = await (await fetch(`http://127.0.0.1:${addresses.metricsPort}/metrics`)).text();
  expect(metrics).toMatch(
    new RegExp(`fusemesh_teacher_documents_refused_total\\{run="${run}-letters",teacher="orator"\\} 2\n`),
  );
  await client.detachRun({ run: `${run}-letters` });
  await other.remove();
});

test.each([
  ['orator', { execution: 'cuda', device: 1 }, 'Teacher orator is ready with a llama model on cuda device 1'],
  ['target', { execution: 'webgpu', device: 0 }, 'Teacher target is ready with a llama model on webgpu'],
  ['novelist', { execution: 'cpu', device: 0 }, 'Teacher novelist is ready with a llama model on cpu'],
])('%s is loaded onto what the run file says, %o, and says so', async (name, placed, line) => {
  const model = `${zoo}orator`;
  const config = runConfigSchema.parse({
    run,
    nats: { url: nats.url },
    contextLength: 128,
    corpus: [{ domain: 'speeches', path: 'unused.txt' }],
    teachers: [
      { name: 'orator', address: '127.0.0.1:0', model, execution: 'cuda', device: 1 },
      { name: 'novelist', address: '127.0.0.1:0', model },
    ],
    target: { model, source: { address: '127.0.0.1:0', execution: 'webgpu' } },
    trainer: { output: 'unused' },
  });
  const log = createLog(`teacher ${name}`, { level: 'silent' });
  const lines: unknown[][] = [];
  log.info = (...parameters: unknown[]) => void lines.push(parameters);
  const given: TeacherSettings[] = [];
  const load: LoadModel = (settings) => {
    given.push(settings);
    return OnnxModel.load(settings.model!, { topK: 5, threads: 1 });
  };
  const leave = new AbortController();
  await runTeacher(config, name, { signal: leave.signal, log, onReady: () => leave.abort() }, load);
  expect(given).toMatchObject([placed]);
  expect(lines).toContainEqual([expect.objectContaining(placed), line]);
});
