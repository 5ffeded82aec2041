import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { stringify } from 'yaml';
import { type Finished, type RunningCommand, startCommand } from '../../test/end-to-end/command.ts';
import { freePort } from '../../test/support/free-port.ts';
import { startNatsServer } from '../../test/support/nats-server.ts';

/** A teacher and a trainer as processes of their own, with their NATS server; whoever has this feeds them. */
export interface FuzzedMesh {
  readonly run: string;
  readonly natsUrl: string;
  readonly output: string;
  readonly processes: Readonly<Record<'teacher' | 'trainer', FuzzedProcess>>;
  remove(): Promise<void>;
}

export interface FuzzedProcess {
  /** HOST:PORT of its gRPC service. */
  readonly address: string;
  readonly finished: Promise<Finished>;
  /** Resident memory in MiB. */
  memory(): number;
  /** @throws Error with what it wrote last, where it has ended */
  assertAlive(): void;
  /** Asks it to end, and returns how it did. */
  stop(): Promise<Finished>;
}

export const batchDocuments = 64;
export const contextLength = 96;
export const topK = 8;
export const teacherName = 'orator';

const zoo = join(import.meta.dirname, '..', '..', 'examples', 'zoo');

export async function startFuzzedMesh(): Promise<FuzzedMesh> {
  const nats = await startNatsServer();
  const directory = await mkdtemp(join(tmpdir(), 'fusemesh-fuzz-'));
  const run = `fuzz-${process.pid}`;
  const output = join(directory, 'output');
  const [teacherPort, trainerPort] = [await freePort(), await freePort()];
  const room = 10_000_000;
  const config = {
    run,
    contextLength,
    topK,
    nats: { url: nats.url, maxDocuments: room, maxDistributions: room },
    corpus: [{ domain: 'unused', path: 'unused.txt' }],
    teachers: [
      {
        name: teacherName,
        address: `127.0.0.1:${teacherPort}`,
        model: join(zoo, 'orator'),
        batchDocuments: 32,
      },
    ],
    target: { model: join(zoo, 'target') },
    trainer: {
      address: `127.0.0.1:${trainerPort}`,
      metricsPort: 0,
      output,
      batchDocuments,
      checkpointEvery: 20,
      keepCheckpoints: 1,
      learningRate: 1e-4,
    },
  };
  const path = join(directory, 'run.yaml');
  await writeFile(path, stringify(config));
  const quiet = { LOG_LEVEL: 'error' };
  const teacher = startCommand(['teacher', path, teacherName], quiet);
  const trainer = startCommand(['trainer', path], quiet);
  const running = [teacher, trainer];
  return {
    run,
    output,
    natsUrl: nats.url,
    processes: {
      teacher: fuzzedProcess('teacher', config.teachers[0].address, teacher),
      trainer: fuzzedProcess('trainer', config.trainer.address, trainer),
    },
    async remove() {
      for (const { process } of running) process.kill('SIGKILL');
      await Promise.all(running.map(({ finished }) => finished));
      await nats.stop();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

function fuzzedProcess(name: string, address: string, { process, finished }: RunningCommand): FuzzedProcess {
  let last: Finished | undefined;
  void finished.then((ended) => {
    last = ended;
  });
  return {
    address,
    finished,
    memory: () => residentMebibytes(process.pid),
    stop: () => {
      process.kill('SIGTERM');
      return finished;
    },
    assertAlive: () => {
      if (last) throw new Error(`The ${name} has ended with ${last.code}: ${last.stderr.slice(-2_000)}`);
    },
  };
}

function residentMebibytes(pid: number | undefined): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1] ?? 0) / 1024;
}

/** What a process's memory was while something went on, in MiB. */
export class MemoryWatch {
  readonly #samples: number[] = [];
  readonly #timer: NodeJS.Timeout;

  constructor(process: FuzzedProcess, everyMilliseconds = 200) {
    this.#timer = setInterval(() => {
      try {
        this.#samples.push(process.memory());
      } catch {
        // It has ended: whoever waits for that says so.
      }
    }, everyMilliseconds);
  }

  /** Medians of the second tenth and of the last one, and the most there was. */
  stop(): { readonly early: number; readonly late: number; readonly most: number } {
    clearInterval(this.#timer);
    const n = this.#samples.length;
    const median = (from: number, until: number) => {
      const part = this.#samples.slice(Math.floor(from * n), Math.ceil(until * n)).sort((a, b) => a - b);
      return part[part.length >> 1] ?? 0;
    };
    return { early: median(0.1, 0.2), late: median(0.9, 1), most: Math.max(0, ...this.#samples) };
  }
}

/** Waits until something is so; @throws Error when it is not within the time */
export async function until(what: string, isSo: () => Promise<boolean>, within = 120_000): Promise<void> {
  const deadline = Date.now() + within;
  while (!(await isSo())) {
    if (Date.now() > deadline) throw new Error(`Not within ${within / 1000} s: ${what}.`);
    await sleep(100);
  }
}
