import { cp, mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { runResultSchema } from '../../cli/stored/run-result.ts';
import { readHistory } from '../../trainer/report/history/history-file.ts';
import { startLocalNatsServer } from '../../wire/nats/local-server.ts';
import { freePort } from '../support/free-port.ts';
import { type RunningCommand, startCommand } from './command.ts';
import {
  awaitCheckpoint,
  makeSmallCorpus,
  newestCheckpointStep,
  processIds,
  type SmallCorpus,
  smallTrainer,
  writeRunFile,
} from './small-run.ts';

const zoo = fileURLToPath(new URL('../../examples/zoo/', import.meta.url));
const teachers = ['orator', 'novelist', 'engineer'];
let corpus: SmallCorpus;
let server: Awaited<ReturnType<typeof startLocalNatsServer>>;
let servers = 0;
let started: RunningCommand[];

beforeAll(async () => {
  corpus = await makeSmallCorpus({ bytesOfDomain: 12_000 });
});
afterAll(() => corpus.remove());
beforeEach(async () => {
  server = await startLocalNatsServer({ storeDirectory: join(corpus.directory, `nats-${++servers}`) });
  started = [];
});
afterEach(async () => {
  await endAll();
  await server.stop();
});

async function endAll(): Promise<void> {
  for (const { process } of started) process.kill('SIGKILL');
  await Promise.all(started.map(({ finished }) => finished));
}

/** A run whose documents go on with two of its three teachers. */
async function twoOfThree(run: string, { within }: { within: string }) {
  const addresses = await Promise.all(teachers.map(async () => `127.0.0.1:${await freePort()}`));
  const output = join(corpus.directory, run);
  const changes = {
    // Nobody is far ahead of the trainer.
    nats: { url: server.url, maxDocuments: 16, maxDistributions: 16 },
    heldOut: [],
    teachers: teachers.map((name, i) => ({ name, address: addresses[i], model: join(zoo, name) })),
    target: { model: join(zoo, 'target') },
    trainer: { ...smallTrainer, output, join: { atLeast: 2, within } },
  };
  return writeRunFile(corpus, { run, changes });
}

function start(...parameters: string[]): RunningCommand {
  const command = startCommand(parameters);
  started.push(command);
  return command;
}

interface JournalLine {
  readonly first: number;
  readonly last: number;
  readonly sources: readonly string[];
}

const journalText = (output: string) => readFile(join(output, 'joined.jsonl'), 'utf8').catch(() => '');
/** The sources of each document. */
async function journalOf(output: string): Promise<string[]> {
  const [, ...lines] = (await journalText(output)).split('\n').slice(0, -1);
  const documents: string[] = [];
  for (const line of lines) {
    const { first, last, sources } = JSON.parse(line) as JournalLine;
    for (let document = first; document <= last; document++) documents[document] = sources.join(' ');
  }
  return documents;
}
const finalWeights = (output: string) => readFile(join(output, 'model', 'model.safetensors'));
const without = async (output: string, teacher: string) =>
  (await readHistory(output)).points.reduce((sum, point) => sum + (point.without[teacher] ?? 0), 0);

test('a teacher that is never started is waited for once', { timeout: 300_000 }, async () => {
  const { path, output } = await twoOfThree(`end-to-end-absent-${process.pid}`, { within: '1s' });
  for (const name of teachers.slice(0, 2)) start('teacher', path, name);
  start('feed', path);
  const trainer = await start('trainer', path).finished;
  expect(trainer.code).toBe(0);
  const log = trainer.stdout + trainer.stderr;
  expect(log).toContain('The training begins without engineer: not attached in time');
  expect(log).not.toContain('The training goes on without');
  const documents = await journalOf(output);
  expect(documents.length).toBeGreaterThan(50);
  expect(new Set(documents)).toEqual(new Set(['orator novelist']));
  expect(await without(output, 'engineer')).toBe(documents.length);
});

test('one that is slow, and then killed for good, changes nothing but who took part; the record gives the same weights', {
  timeout: 600_000,
}, async () => {
  const { path, output } = await twoOfThree(`end-to-end-leaving-${process.pid}`, { within: '3s' });
  for (const name of teachers.slice(0, 2)) start('teacher', path, name);
  const engineer = start('teacher', path, 'engineer');
  start('feed', path);
  let trainer = start('trainer', path);
  const tookPart = async (from: number) => (await journalOf(output)).slice(from);
  await expect.poll(() => tookPart(0), { timeout: 180_000 }).toContain('orator novelist engineer');

  // It stands still for a while.
  engineer.process.kill('SIGSTOP');
  const stopped = (await journalOf(output)).length;
  await expect.poll(() => tookPart(stopped), { timeout: 180_000 }).toContain('orator novelist');
  engineer.process.kill('SIGCONT');
  trainer.process.kill('SIGKILL');
  await trainer.finished;
  const atKill = await journalText(output);
  trainer = start('trainer', path);
  await awaitCheckpoint(output, (await newestCheckpointStep(output)) + 2);
  expect((await journalText(output)).startsWith(atKill.slice(0, atKill.lastIndexOf('\n') + 1))).toBe(true);

  // Gone for good, and with a trainer that begins anew without it.
  engineer.process.kill('SIGKILL');
  trainer.process.kill('SIGKILL');
  await Promise.all([engineer.finished, trainer.finished]);
  trainer = start('trainer', path);
  const { code, stdout, stderr } = await trainer.finished;
  expect(code).toBe(0);
  expect(stdout + stderr).toContain('The training goes on without engineer');
  const documents = await journalOf(output);
  const counts = documents.filter((sources) => sources === 'orator novelist').length;
  expect(documents.at(-1)).toBe('orator novelist');
  expect(await without(output, 'engineer')).toBe(counts);

  // Another training of the same run, with all teachers there, that has nothing but the record.
  await endAll();
  await server.stop();
  server = await startLocalNatsServer({ storeDirectory: join(corpus.directory, 'nats-again') });
  const again = join(corpus.directory, 'again');
  await mkdir(again);
  await cp(join(output, 'joined.jsonl'), join(again, 'joined.jsonl'));
  const elsewhere = ['--set', `nats.url=${server.url}`, '--set', `trainer.output=${again}`];
  for (const name of teachers) start('teacher', path, name, ...elsewhere);
  start('feed', path, ...elsewhere);
  const replayed = await start('trainer', path, ...elsewhere).finished;
  expect(replayed.code).toBe(0);
  expect(await journalOf(again)).toEqual(documents);
  expect(Buffer.compare(await finalWeights(again), await finalWeights(output))).toBe(0);
});

test('up goes on without a teacher that is killed, and still evaluates it', {
  timeout: 180_000,
}, async () => {
  const { path, output } = await twoOfThree(`end-to-end-up-${process.pid}`, { within: '1s' });
  const up = start(
    'up',
    path,
    '--json',
    '--set',
    `heldOut=[{ domain: manuals, path: ${corpus.directory}/manuals.txt }]`,
  );
  await awaitCheckpoint(output, 2);
  process.kill((await processIds(output)).get('teacher-engineer')!, 'SIGKILL');
  const { code, stdout, stderr } = await up.finished;
  expect(code).toBe(0);
  expect(stderr.match(/engineer: was killed \(SIGKILL\).*The run goes on without it\./g)).toHaveLength(1);
  expect(Object.keys(runResultSchema.parse(JSON.parse(stdout)).domains[0].teachers)).toEqual(teachers);
  expect((await journalOf(output)).at(-1)).toBe('orator novelist');
});
