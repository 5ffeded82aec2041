import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { create } from '@bufbuild/protobuf';
import { expect, it } from 'vitest';
import type { Log } from '../../process/log/log.ts';
import { temporaryDirectory } from '../../test/support/temporary-directory.ts';
import { CorpusManifestSchema, DocumentSchema } from '../generated/fusemesh/v1/corpus_pb.ts';
import { type ConnectionEvent, connectNats } from './connection.ts';
import { startLocalNatsServer } from './local-server.ts';
import { openRunStreams } from './run-streams.ts';

it('loses and doubles nothing when the server goes away and comes back', async () => {
  const storeDirectory = await mkdtemp(join(tmpdir(), 'fusemesh-reconnect-'));
  const first = await startLocalNatsServer({ storeDirectory });
  const port = Number(new URL(first.url).port);
  const connection = await connectNats(first.url, 'test');
  const streams = openRunStreams(connection, 'reconnect');
  await streams.ensure({ maxDocuments: 100, maxDistributions: 100 });
  await streams.publishManifest(
    create(CorpusManifestSchema, { documents: 40n, sha256: new Uint8Array(32), contextLength: 64 }),
  );

  const abort = new AbortController();
  const { signal } = abort;
  const read: number[] = [];
  const consumed = new Set<number>();
  let restarted: Promise<{ stop(): Promise<void> }> | undefined;
  const restart = async () => {
    await first.stop();
    return startLocalNatsServer({ storeDirectory, port });
  };
  const feeding = (async () => {
    for (let number = 0n; number < 40n; number++) {
      await streams.publishDocument(create(DocumentSchema, { number, text: 'text' }), { signal });
      if (number === 19n) restarted = restart();
    }
  })();
  const reading = (async () => {
    for await (const { document } of streams.readDocuments({ from: 0, signal })) {
      read.push(Number(document.number));
    }
  })();
  const consuming = (async () => {
    for await (const { document, ack } of streams.consumeDocuments('orator', { batch: 4, signal })) {
      await ack().catch(() => {});
      consumed.add(Number(document.number));
    }
  })();

  const all = Array.from({ length: 40 }, (_, d) => d);
  await feeding;
  await expect.poll(() => read.length, { timeout: 30_000 }).toBe(40);
  expect(read).toEqual(all);
  await expect.poll(() => consumed.size, { timeout: 30_000 }).toBe(40);
  abort.abort();
  await Promise.all([reading, consuming]);
  await connection.close();
  await (await restarted!).stop();
  await rm(storeDirectory, { recursive: true, force: true });
});

it('says once that nobody answers what is published, and stores it when somebody does', async () => {
  const server = await startLocalNatsServer({ storeDirectory: await temporaryDirectory() });
  const said: string[] = [];
  const log = { warn: (_fields: object, message: string) => said.push(message), debug() {}, info() {} };
  const events: ConnectionEvent[] = [];
  const onEvent = (event: ConnectionEvent) => events.push(event);
  const connection = await connectNats(server.url, 'test', { log: log as unknown as Log, onEvent });
  const streams = openRunStreams(connection, 'unanswered');
  await streams.ensure({ maxDocuments: 10_000, maxDistributions: 10_000 });
  process.kill(server.pid, 'SIGSTOP');
  const { signal } = new AbortController();
  // Until it really stands still, it answers some.
  const published = (async () => {
    for (let d = 0; said.length === 0; d++) {
      await streams.publishDistribution('orator', d, Uint8Array.of(1), { signal });
    }
  })();
  await expect.poll(() => said, { timeout: 20_000 }).toEqual([expect.stringContaining('does not answer')]);
  process.kill(server.pid, 'SIGCONT');
  await published;
  expect(said).toHaveLength(1);
  expect(events).toContain('unanswered');
  await connection.close();
  await server.stop();
});
