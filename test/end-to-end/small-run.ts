import { readFileSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { stringify } from 'yaml';
import { type RunningCommand, startCommand } from './command.ts';

export const zoo = fileURLToPath(new URL('../../examples/zoo/', import.meta.url));
const domains = ['speeches', 'fiction', 'manuals'];

/** A folder with a corpus of a few pages, for runs of some seconds. */
export interface SmallCorpus {
  readonly directory: string;
  remove(): Promise<void>;
}

export async function makeSmallCorpus({ bytesOfDomain }: { bytesOfDomain: number }): Promise<SmallCorpus> {
  const directory = await mkdtemp(join(tmpdir(), 'fusemesh-end-to-end-'));
  for (const domain of domains) {
    const text = await readFile(join(zoo, 'corpus', `${domain}.txt`), 'utf8');
    await writeFile(join(directory, `${domain}.txt`), text.slice(0, bytesOfDomain));
  }
  return { directory, remove: () => rm(directory, { recursive: true, force: true }) };
}

/** A trainer for such a corpus, but for where it writes. */
export const smallTrainer = {
  address: '127.0.0.1:0',
  metricsPort: 0,
  threads: 1,
  learningRate: 1e-3,
  batchDocuments: 4,
  checkpointEvery: 2,
};

/** Writes the run file of one run over the corpus and returns its path. */
export async function writeRunFile(
  corpus: SmallCorpus,
  { run, changes = {} }: { run: string; changes?: object },
): Promise<{ path: string; output: string }> {
  const texts = domains.map((domain) => ({ domain, path: `${domain}.txt` }));
  const output = join(corpus.directory, run);
  const config = {
    run,
    contextLength: 96,
    topK: 8,
    corpus: texts,
    // A few pages teach nothing about other pages: what is shown here is that the target learns these.
    heldOut: texts,
    teachers: ['orator', 'novelist', 'engineer'].map((name) => ({
      name,
      address: '127.0.0.1:0',
      model: join(zoo, name),
    })),
    target: { model: join(zoo, 'target'), source: { address: '127.0.0.1:0' } },
    trainer: {
      ...smallTrainer,
      output,
      // Two documents at once: the gradient of a step is summed over parts.
      tokensAtOnce: 192,
      evaluateEvery: 4,
    },
    ...changes,
  };
  const path = join(corpus.directory, `${run}.yaml`);
  await writeFile(path, stringify(config));
  return { path, output };
}

/** The step of the newest checkpoint; 0 where there is none. */
export async function newestCheckpointStep(output: string): Promise<number> {
  const names = await readdir(join(output, 'checkpoints')).catch(() => []);
  return Math.max(0, ...names.map((name) => Number(/^step-(\d+)$/.exec(name)?.[1] ?? 0)));
}

/** Waits until the trainer has written a checkpoint of that step or a later one. */
export async function awaitCheckpoint(output: string, step: number): Promise<void> {
  while ((await newestCheckpointStep(output)) < step) await sleep(20);
}

/** Goes on with a run until the trainer has written one more checkpoint. */
export async function goOn({ path, output }: { path: string; output: string }): Promise<RunningCommand> {
  const before = await newestCheckpointStep(output);
  const up = startCommand(['up', path]);
  await awaitCheckpoint(output, before + 1);
  return up;
}

/** Kills the trainer of a run that is going on, as the kernel does it that is out of memory. */
export async function killTrainer(output: string): Promise<void> {
  process.kill((await processIds(output)).get('trainer')!, 'SIGKILL');
}

/** A line of a process's log, as far as a test looks at it. */
interface LogLine {
  readonly step?: number;
  readonly bitsPerByte?: Readonly<Record<string, number>>;
}

/** What a process of a run has logged. */
export async function logLines(output: string, name: string): Promise<LogLine[]> {
  const lines = (await readFile(join(output, 'logs', `${name}.log`), 'utf8')).split('\n');
  return lines.filter((line) => line.startsWith('{')).map((line) => JSON.parse(line) as LogLine);
}

/** Process ids of a run's processes, from the logs that they write. */
export async function processIds(output: string): Promise<Map<string, number>> {
  const names = await readdir(join(output, 'logs'));
  const ids = new Map<string, number>();
  for (const name of names) {
    const [line] = (await readFile(join(output, 'logs', name), 'utf8')).split('\n');
    if (line.startsWith('{')) ids.set(name.replace(/\.log$/, ''), (JSON.parse(line) as { pid: number }).pid);
  }
  return ids;
}

/** Whether a process is there and has not ended, as one has whose parent is gone and that nobody reaped. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    // Not Linux, or gone in the meantime; the next look tells.
    return true;
  }
}
