import { createHash } from 'node:crypto';
import { access, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { runCommand, startCommand } from './command.ts';
import {
  awaitCheckpoint,
  isAlive,
  killTrainer,
  makeSmallCorpus,
  newestCheckpointStep,
  processIds,
  type SmallCorpus,
  smallTrainer,
  writeRunFile,
  zoo,
} from './small-run.ts';

let corpus: SmallCorpus;
let recording: string;
const minutes = 60_000;

beforeAll(async () => {
  corpus = await makeSmallCorpus({ bytesOfDomain: 2_500 });
  recording = join(corpus.directory, 'recorded');
});
afterAll(() => corpus.remove());

const teacher = (name: string) => ({ name, address: '127.0.0.1:0' });

/** Writes a run file of two teachers and the frozen copy, without held-out texts. */
async function runFile(
  run: string,
  { changes = {}, epochs = 1 }: { changes?: object; epochs?: number } = {},
) {
  const output = join(corpus.directory, run);
  const trainer = { ...smallTrainer, output, tokensAtOnce: 192, epochs };
  const teachers = ['orator', 'novelist'].map((name) => ({ ...teacher(name), model: join(zoo, name) }));
  return writeRunFile(corpus, { run, changes: { heldOut: [], teachers, trainer, ...changes } });
}

const fromRecording = (run: string, options: { changes?: object; epochs?: number } = {}) =>
  runFile(run, { ...options, changes: { corpus: { recording }, teachers: undefined, ...options.changes } });

async function digestOf(output: string): Promise<string> {
  const weights = await readFile(join(output, 'model', 'model.safetensors'));
  return createHash('sha256').update(weights).digest('hex');
}

async function trained(path: string): Promise<void> {
  const { code, stderr } = await runCommand(['up', path]);
  expect(stderr).toBe('');
  expect(code).toBe(0);
}

test('a recorder that is killed goes on, and an epoch from its recording gives the weights of the live run', {
  timeout: 8 * minutes,
}, async () => {
  // Little room in the streams, so that the recorder saves every second document.
  const live = await runFile('live', { changes: { nats: { maxDocuments: 8, maxDistributions: 8 } } });
  const command = ['record', live.path, '--to', recording];

  const killed = startCommand(command);
  await sawRecorded(1);
  process.kill((await processIds(live.output)).get('record')!, 'SIGKILL');
  expect((await killed.finished).code).toBe(1);
  const before = await recordedDocuments();

  const recorded = await runCommand(command);
  expect(recorded.stderr).toMatch(/^(nats-server .*\n)?$/);
  expect(recorded.stdout).toMatch(
    /documents are recorded in .*: .* kB, \d+\.\d bytes a token of a teacher\.\n/,
  );
  expect(await recordedDocuments()).toBeGreaterThan(before);

  await trained(live.path);
  const offline = await fromRecording('offline');
  await trained(offline.path);
  expect(await digestOf(offline.output)).toBe(await digestOf(live.output));
  // No other process was there.
  expect(await readdir(join(offline.output, 'logs'))).toEqual(['trainer.log']);
});

test('three epochs, live and from the recording, give the same weights, though trainers are killed in the first and the second', {
  timeout: 8 * minutes,
}, async () => {
  const live = await runFile('live-three', { epochs: 3 });
  const offline = await fromRecording('offline-three', { epochs: 3 });
  const single = await newestCheckpointStep(join(corpus.directory, 'live'));
  const killedAfter = async ({ path, output }: typeof live, step: number, before: number) => {
    const up = startCommand(['up', path]);
    await awaitCheckpoint(output, step);
    await killTrainer(output);
    expect((await up.finished).code).toBe(1);
    expect(await newestCheckpointStep(output)).toBeLessThan(before);
  };
  await killedAfter(live, 2, single);
  for (const run of [live, offline]) {
    const { path, output } = run;
    await killedAfter(run, single + 2, 3 * single);
    await trained(path);
    expect(await newestCheckpointStep(output)).toBe(3 * single);
  }
  expect(await digestOf(offline.output)).toBe(await digestOf(live.output));
  expect(await digestOf(live.output)).not.toBe(await digestOf(join(corpus.directory, 'live')));
  await expect(access(join(live.output, 'heard'))).rejects.toThrow();
});

test('a run picks sources of a recording, and is refused what that does not have', {
  timeout: 4 * minutes,
}, async () => {
  const refused = async (run: string, changes: object) => {
    const { path } = await fromRecording(run, { changes });
    const { code, stderr } = await runCommand(['trainer', path], { LOG_LEVEL: 'silent' });
    expect(code).toBeGreaterThan(0);
    return stderr;
  };
  expect(await refused('more', { topK: 9 })).toContain('topK is 9: set it to 8 or less');
  expect(await refused('most', { topP: 1 })).toContain('topP is 1: set it to 0.98 or less');
  expect(await refused('shorter', { contextLength: 64 })).toContain(
    'contextLength is 64: set it to 96 or more',
  );
  expect(await refused('other', { teachers: [teacher('poet')] })).toContain(
    'has no source "poet"; it has orator, novelist, target',
  );
  expect(await refused('none', { corpus: { recording: join(corpus.directory, 'nowhere') } })).toContain(
    'There is no recording in',
  );
  const feed = await runCommand(['feed', (await fromRecording('fed')).path]);
  expect(feed.stderr).toMatch(/corpus names the recording .*: it needs no feeder/);

  const some = await fromRecording('some', {
    changes: { teachers: [teacher('novelist')], target: { model: join(zoo, 'target') }, topK: 4 },
  });
  await trained(some.path);
  expect(await digestOf(some.output)).not.toBe(await digestOf(join(corpus.directory, 'live')));
});

test('a live run of several epochs that would keep more than it may ends with a word', {
  timeout: 4 * minutes,
}, async () => {
  const { path, output } = await runFile('large', { epochs: 2 });
  const { code, stderr } = await runCommand(['up', path, '--set', 'trainer.recordingBytes=20000']);
  expect(code).toBe(1);
  expect(stderr).toContain('trainer.recordingBytes is 20000: raise it');
  expect([...(await processIds(output)).values()].filter(isAlive)).toEqual([]);
});

async function recordedDocuments(): Promise<number> {
  const text = await readFile(join(recording, 'recording.json'), 'utf8').catch(() => '{}');
  return (JSON.parse(text) as { record?: { recorded: number } }).record?.recorded ?? 0;
}

/** Waits until so many documents are on disk. */
async function sawRecorded(documents: number): Promise<void> {
  while ((await recordedDocuments()) < documents) await sleep(5);
}
