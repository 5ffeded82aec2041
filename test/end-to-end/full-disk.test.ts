import { execFile } from 'node:child_process';
import { appendFile, mkdir, mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import { keepProcesses } from '../../cli/reach/processes-file.ts';
import { onDisk } from '../../errors/on-disk.ts';
import { publishDirectory, writeDurably } from '../../model/export/durable-files.ts';
import { holdDirectory } from '../../process/lifecycle/hold-directory.ts';
import { createLog } from '../../process/log/log.ts';
import { CorpusWriter } from '../../services/feeder/corpus-writer.ts';
import { holdDirectory as holdCorpus } from '../../services/feeder/hold-directory.ts';
import { cannotBeKept } from '../../services/feeder/prepare-corpus.ts';
import { RolloutJournal } from '../../services/feeder/rollouts/journal.ts';
import { beginning } from '../../texts/row.ts';
import { SkippedRows } from '../../texts/skipped-rows.ts';
import { HistoryFile } from '../../trainer/report/history/history-file.ts';
import { RunHistory } from '../../trainer/report/history/run-history.ts';
import { type ConnectionEvent, connectNats } from '../../wire/nats/connection.ts';
import { startLocalNatsServer } from '../../wire/nats/local-server.ts';
import { runNames } from '../../wire/nats/names.ts';
import { openRunStreams } from '../../wire/nats/run-streams.ts';

const run = promisify(execFile);
const log = createLog('test', { level: 'silent' });
const signal = new AbortController().signal;

/** Mounts a disk of so many bytes in memory; undefined where this process may not. */
async function smallDisk(bytes: number): Promise<string | undefined> {
  const directory = await mkdtemp(join(tmpdir(), 'fusemesh-full-'));
  const mounted = run('mount', ['-t', 'tmpfs', '-o', `size=${bytes}`, 'tmpfs', directory]);
  return mounted.then(
    () => directory,
    () => rm(directory, { recursive: true }).then(() => undefined),
  );
}

async function unmount(directory: string | undefined): Promise<void> {
  if (directory === undefined) return;
  await run('umount', [directory]);
  await rm(directory, { recursive: true });
}

const full = await smallDisk(64 * 1024);
const small = await smallDisk(2 * 2 ** 20 + 256 * 1024);
// With what a run reserves for its dead letters.
const store = await smallDisk(192 * 2 ** 20);
afterAll(async () => {
  await unmount(full);
  await unmount(small);
  await unmount(store);
});
beforeAll(async () => {
  if (full !== undefined) await fill(full);
});

/** Writes until there is no room. */
async function fill(disk: string): Promise<void> {
  for (const bytes of [2 ** 20, 4096]) {
    const write = () => appendFile(join(disk, 'filled'), Buffer.alloc(bytes));
    while (
      await write().then(
        () => true,
        () => false,
      )
    );
  }
}

const writers: [string, (at: string) => Promise<unknown>, string][] = [
  ['the lock of a directory', (at) => holdDirectory(at, 'train'), 'process.lock'],
  ["the feeder's lock", (at) => holdCorpus(at, signal, async () => {}), 'in-work'],
  ['the list of processes', (at) => keepProcesses(at), 'processes.json'],
  [
    'the curves',
    async (at) => {
      // What the file holds is on another disk: it is written again here.
      const before = await mkdtemp(join(tmpdir(), 'fusemesh-curves-'));
      const path = join(before, 'history.jsonl');
      await writeFile(path, `${JSON.stringify({ heldOut: { step: 1, bitsPerByte: { fiction: 1 } } })}\n`);
      await symlink(path, join(at, 'history.jsonl'));
      const resumed = HistoryFile.resume(at, { step: 2, history: new RunHistory(), log });
      return resumed.finally(() => rm(before, { recursive: true }));
    },
    'history.jsonl',
  ],
  ["NATS's store", (at) => startLocalNatsServer({ storeDirectory: at, demandToken: true }), 'token'],
  [
    'the journal of rollouts',
    (at) => RolloutJournal.open(join(at, 'r.jsonl'), { run: 'a', plan: 'b' }),
    'r.jsonl',
  ],
  [
    'a checkpoint',
    (at) =>
      onDisk(`the checkpoint ${at}/step-1`, async () => {
        await mkdir(`${at}/part`);
        await writeDurably(`${at}/part/x`, Buffer.alloc(9));
        await publishDirectory(`${at}/part`, `${at}/step-1`);
      }),
    'step-1',
  ],
];

it.skipIf(full === undefined).each(writers)(
  '%s on a full disk: where, and what to do',
  async (name, write, file) => {
    const directory = join(full!, name.replaceAll(/\W/g, '-'));
    await mkdir(directory);
    await expect(write(directory)).rejects.toMatchObject({
      message: expect.stringMatching(
        new RegExp(`${directory}/${file}.*(disk is full|ENOSPC).*make room there`),
      ),
    });
    // What is begun and empty must not stand in the way when there is room.
    expect(await readdir(directory)).not.toContain('process.lock');
    expect(await readdir(directory)).not.toContain('token');
  },
);

it.skipIf(small === undefined)('a corpus of which a part still fits is not taken for whole', async () => {
  const directory = join(small!, 'corpus');
  const writer = await CorpusWriter.open(directory, 'key');
  const cut = async () => {
    for (let piece = 0; piece < 5; piece++) await writer.append(0, new Uint8Array(600_000), 1);
    await writer.save({ file: 1, row: beginning }, new SkippedRows());
  };
  const failure = await cut().then(
    () => undefined,
    (cause: unknown) => cannotBeKept('The cut corpus', directory, cause),
  );
  await writer.close();
  expect((failure as Error).message).toMatch(
    /The cut corpus cannot be kept in .*corpus \(ENOSPC\): make room there/,
  );
});

it.skipIf(store === undefined)(
  'a NATS server whose disk was full has lost nothing once it is started again',
  async () => {
    const storeDirectory = join(store!, 'nats');
    let server = await startLocalNatsServer({ storeDirectory });
    const { url } = server;
    onTestFinished(() => server.stop());
    const events: ConnectionEvent[] = [];
    const connection = await connectNats(url, 'test', { onEvent: (event) => events.push(event) });
    onTestFinished(() => connection.close());
    const streams = openRunStreams(connection, 'full');
    await streams.ensure({ maxDocuments: 100, maxDistributions: 100 });
    const publish = (document: number) =>
      streams.publishDistribution('orator', document, new Uint8Array(100_000).fill(document), { signal });
    await publish(0);
    await fill(store!);
    const publishing = (async () => {
      for (let document = 1; document < 4; document++) await publish(document);
    })();
    await expect.poll(() => events, { timeout: 30_000 }).toContain('unanswered');
    await rm(join(store!, 'filled'));
    await server.stop();
    server = await startLocalNatsServer({ storeDirectory, port: Number(new URL(url).port) });
    await publishing;
    const { state } = await connection.manager.streams.info(runNames('full').distributionsStream);
    expect(state.messages).toBe(4);
  },
);
