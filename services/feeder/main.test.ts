import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Tokenizer } from '../../model/tokenizer/tokenizer.ts';
import { type RunConfig, runConfigSchema } from '../../process/config/schema.ts';
import { createLog } from '../../process/log/log.ts';
import { freePort } from '../../test/support/free-port.ts';
import { startNatsServer, type TestNatsServer } from '../../test/support/nats-server.ts';
import { documentFromBytes } from '../../wire/codec/document-bytes.ts';
import { connectNats } from '../../wire/nats/connection.ts';
import { openRunStreams } from '../../wire/nats/run-streams.ts';
import { runTeacher } from '../teacher/main.ts';
import { type FeederOptions, type PublishedCorpus, runFeeder } from './main.ts';

const log = createLog('test', { level: 'silent' });
const zoo = resolve(import.meta.dirname, '../../examples/zoo');
const contextLength = 64;
const texts = {
  sea: 'Call me Ishmael. Some years ago I went to see the watery part of the world. '.repeat(40),
  manual: 'NAME\n\n    cut - remove sections from each line of files\n\n'.repeat(30),
};

let server: TestNatsServer;
let directory: string;
let config: RunConfig;
const stop = new AbortController();
let teaching: Promise<void>;

beforeAll(async () => {
  server = await startNatsServer();
  directory = await mkdtemp(join(tmpdir(), 'fusemesh-feed-'));
  for (const [name, text] of Object.entries(texts)) await writeFile(join(directory, `${name}.txt`), text);
  config = runConfigSchema.parse({
    run: `feed-${process.pid}`,
    nats: { url: server.url },
    contextLength,
    corpus: Object.keys(texts).map((name) => ({ domain: name, path: join(directory, `${name}.txt`) })),
    teachers: [{ name: 'orator', address: '127.0.0.1:0', model: join(zoo, 'orator') }],
    target: { model: join(zoo, 'target') },
    trainer: { output: join(directory, 'output') },
  });
  const address = await new Promise<string>((ready, fail) => {
    teaching = runTeacher(config, 'orator', {
      signal: stop.signal,
      log,
      onReady: ({ grpc }) => ready(grpc),
    });
    teaching.catch(fail);
  });
  config.teachers[0].address = address;
});
afterAll(async () => {
  stop.abort();
  await teaching;
  await server.stop();
  await rm(directory, { recursive: true, force: true });
});

async function readAll(count: number) {
  const connection = await connectNats(server.url, 'test');
  const abort = new AbortController();
  const read = [];
  for await (const { bytes } of openRunStreams(connection, config.run).readDocuments({
    from: 0,
    signal: abort.signal,
  })) {
    if (read.push(documentFromBytes(bytes, undefined)) === count) abort.abort();
  }
  await connection.close();
  return read;
}

/** Feeds until all is published. */
async function feedOnce(onProgress: FeederOptions['onProgress'] = () => {}): Promise<PublishedCorpus> {
  const leave = new AbortController();
  let fed: PublishedCorpus | undefined;
  const onPublished = (all: PublishedCorpus) => {
    fed = all;
    leave.abort();
  };
  await runFeeder(config, { signal: leave.signal, log, onProgress, onPublished });
  return fed!;
}

it('publishes the whole corpus, shuffled, each document within every context', async () => {
  const progress: string[] = [];
  const { documents, published, manifest } = await feedOnce(({ published: done, total }) =>
    progress.push(`${done}/${total}`),
  );
  expect(published).toBe(documents);
  expect(progress).toEqual(Array.from({ length: documents + 1 }, (_, done) => `${done}/${documents}`));

  const read = await readAll(documents);
  expect(read.map(({ number }) => Number(number))).toEqual(Array.from({ length: documents }, (_, d) => d));
  for (const [domain, text] of Object.entries(texts)) {
    const own = read.filter((document) => document.domain === domain);
    expect(own.map((document) => document.text).join('')).toHaveLength(text.length);
    for (const document of own) expect(text).toContain(document.text);
  }
  for (const model of ['orator', 'target']) {
    const tokenizer = await Tokenizer.fromFile(join(zoo, model, 'tokenizer.json'));
    const tokenizations = await tokenizer.encodeBatch(read.map(({ text }) => text));
    expect(Math.max(...tokenizations.map(({ ids }) => ids.length))).toBeLessThanOrEqual(contextLength);
  }
  expect(manifest).toMatchObject({
    documents: BigInt(documents),
    textBytes: BigInt(Buffer.byteLength(texts.sea + texts.manual)),
    contextLength,
  });
});

it('serves its metrics where it is told to', async () => {
  const port = await freePort();
  const leave = new AbortController();
  let metrics = '';
  const onPublished = () =>
    void fetch(`http://127.0.0.1:${port}/metrics`)
      .then(async (response) => {
        metrics = await response.text();
      })
      .finally(() => leave.abort());
  await runFeeder(config, { signal: leave.signal, log, listen: `127.0.0.1:${port}`, onPublished });
  const value = (name: string) => new RegExp(`^${name}{run="${config.run}"} (\\d+)$`, 'm').exec(metrics)?.[1];
  expect(Number(value('fusemesh_feeder_documents'))).toBeGreaterThan(1);
  expect(value('fusemesh_feeder_documents_published')).toBe(value('fusemesh_feeder_documents'));
  expect(value('fusemesh_nats_connected')).toBe('1');
});

it('adds nothing the second time, and refuses another corpus under the same run', async () => {
  const { documents, published } = await feedOnce();
  expect(published).toBe(0);
  expect(documents).toBeGreaterThan(10);

  await writeFile(join(directory, 'sea.txt'), `${texts.sea}The end.`);
  await expect(runFeeder(config, { signal: stop.signal, log })).rejects.toMatchObject({
    code: 'already_exists',
    message: expect.stringContaining('--fresh'),
  });
});

it('says at once what is wrong with the run file', async () => {
  const missing = { ...config, corpus: [{ domain: 'sea', path: join(directory, 'lake.txt') }] };
  await expect(runFeeder(missing, { signal: stop.signal, log })).rejects.toMatchObject({
    code: 'not_found',
    message: expect.stringContaining('lake.txt'),
  });
});
