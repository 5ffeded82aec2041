import { create } from '@bufbuild/protobuf';
import { expect, it, vi } from 'vitest';
import { createLog } from '../../../process/log/log.ts';
import { temporaryDirectory } from '../../../test/support/temporary-directory.ts';
import { CorpusManifestSchema, DocumentSchema } from '../../../wire/generated/fusemesh/v1/corpus_pb.ts';
import { connectNats } from '../../../wire/nats/connection.ts';
import { startLocalNatsServer } from '../../../wire/nats/local-server.ts';
import { openRunStreams, type RunState } from '../../../wire/nats/run-streams.ts';
import { StreamWatch } from './watch-streams.ts';

it('tells what the streams hold, warns while NATS is away, and continues when it is back', async () => {
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
  const watch = new StreamWatch();
  const onLook = (state: RunState) => seen.push(state);
  const watching = watch.keepLooking(streams, ['orator'], { signal, log, onLook });
  await expect.poll(() => seen.at(-1)?.streams[0].messages, { timeout: 5_000 }).toBe(1);
  await streams.publishDocument(create(DocumentSchema, { number: 0n, text: 'text' }), { signal });
  await expect.poll(() => seen.at(-1)?.lags, { timeout: 5_000 }).toMatchObject([{ documents: 1 }]);

  await first.stop();
  // A look that nobody answers takes five seconds.
  await expect.poll(() => warned.mock.calls.length, { timeout: 15_000 }).toBe(1);
  const before = seen.length;
  expect(watch.seen).toEqual(seen.at(-1));
  const second = await startLocalNatsServer({ storeDirectory, port });
  await expect.poll(() => seen.length, { timeout: 15_000 }).toBeGreaterThan(before);
  expect(warned).toHaveBeenCalledOnce();

  abort.abort();
  await watching;
  await connection.close();
  await second.stop();
});

const state = (lag: Partial<RunState['lags'][number]>): RunState => ({
  streams: [],
  lags: [{ teacher: 'orator', documents: 3, redelivered: 0, doneUpTo: 7, ...lag }],
});

/** What a watch says that has seen this. */
async function isDone(seen: RunState | undefined, teacher: string, position?: number): Promise<boolean> {
  const watch = new StreamWatch();
  const abort = new AbortController();
  const log = createLog('test', { level: 'silent' });
  if (seen !== undefined) {
    const onLook = () => abort.abort();
    await watch.keepLooking({ look: async () => seen }, [teacher], { signal: abort.signal, log, onLook });
  }
  return watch.isDone(teacher, position);
}

it('takes as done what was acknowledged, and everything where nothing is left to do', async () => {
  expect(await Promise.all([6, 7, 8].map((position) => isDone(state({}), 'orator', position)))).toEqual([
    true,
    true,
    false,
  ]);
  expect(await isDone(state({ documents: 0 }), 'orator', 8)).toBe(true);
  expect(await isDone(state({ documents: 0 }), 'orator', undefined)).toBe(true);
});

it('takes as done nothing that is not known', async () => {
  expect(await isDone(undefined, 'orator', 1)).toBe(false);
  expect(await isDone(state({}), 'novelist', 1)).toBe(false);
  expect(await isDone(state({}), 'orator', undefined)).toBe(false);
});
