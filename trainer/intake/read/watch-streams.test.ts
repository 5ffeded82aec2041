import { create } from '@bufbuild/protobuf';
import { expect, it, vi } from 'vitest';
import { createLog } from '../../../process/log/log.ts';
import { temporaryDirectory } from '../../../test/support/temporary-directory.ts';
import { CorpusManifestSchema, DocumentSchema } from '../../../wire/generated/fusemesh/v1/corpus_pb.ts';
import { connectNats } from '../../../wire/nats/connection.ts';
import { startLocalNatsServer } from '../../../wire/nats/local-server.ts';
import { openRunStreams, type RunState } from '../../../wire/nats/run-streams.ts';
import { watchStreams } from './watch-streams.ts';

it('tells what the streams hold, warns while NATS is away, and goes on when it is back', async () => {
  const storeDirectory = await temporaryDirectory();
  const first = await startLocalNatsServer({ storeDirectory });
  const port = Number(new URL(first.url).port);
  const connection = await connectNats(first.url, 'test');
  const streams = openRunStreams(connection, 'watched');
  await streams.ensure({ maxDocuments: 8, maxDistributions: 8 });
  await streams.publishManifest(
    create(CorpusManifestSchema, { documents: 2n, sha256: new Uint8Array(32), contextLength: 64 }),
  );

  const log = createLog('test', { level: 'silent' });
  const warned = vi.spyOn(log, 'warn');
  const seen: RunState[] = [];
  const abort = new AbortController();
  const { signal } = abort;
  const watching = watchStreams(streams, ['orator'], { signal, log, tell: (state) => seen.push(state) });
  await expect.poll(() => seen.at(-1)?.streams[0].messages, { timeout: 5_000 }).toBe(1);
  await streams.publishDocument(create(DocumentSchema, { number: 0n, text: 'text' }), { signal });
  await expect.poll(() => seen.at(-1)?.lags, { timeout: 5_000 }).toMatchObject([{ documents: 1 }]);

  await first.stop();
  // A look that nobody answers takes five seconds.
  await expect.poll(() => warned.mock.calls.length, { timeout: 15_000 }).toBe(1);
  const before = seen.length;
  const second = await startLocalNatsServer({ storeDirectory, port });
  await expect.poll(() => seen.length, { timeout: 15_000 }).toBeGreaterThan(before);
  expect(warned).toHaveBeenCalledOnce();

  abort.abort();
  await watching;
  await connection.close();
  await second.stop();
});
