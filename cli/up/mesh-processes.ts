import { join } from 'node:path';
import type { RunConfig } from '../../mesh/config/schema.ts';
import { fusedModelIsWritten } from '../evaluation/held-out-losses.ts';
import { type Child, startChild } from './child.ts';
import { childFailure } from './child-failure.ts';

/** Where a process of the mesh listens. */
export interface Listening {
  readonly name: string;
  /** HOST:PORT of its gRPC service. */
  readonly grpc: string;
  readonly metricsPort: number;
  readonly pid: number;
  /** What else a person is to know of it. */
  readonly note?: string | undefined;
}

/**
 * The processes of one run: starts them with the real addresses of those before them, and stops them in the
 * order in which nothing is lost.
 */
export class MeshProcesses {
  readonly #path: string;
  readonly #config: RunConfig;
  readonly #settings: string[];
  readonly #children: Child[] = [];
  #fail: (error: unknown) => void = () => undefined;
  /** Rejects when a process fails; never resolves. */
  readonly failure: Promise<never>;

  /**
   * @param path the run file
   * @param overrides settings of the command line, which every process gets
   */
  constructor(path: string, config: RunConfig, overrides: readonly string[]) {
    this.#path = path;
    this.#config = config;
    this.#settings = [...overrides];
    this.failure = new Promise((_, reject) => {
      this.#fail = reject;
    });
    this.failure.catch(() => undefined);
  }

  /** Starts every teacher and, where the run has one, the target's frozen copy; returns when all serve. */
  async startTeachers(): Promise<Listening[]> {
    const { teachers, target } = this.#config;
    const sources = teachers.map(({ name }, i) => ({ name, key: `teachers.${i}` }));
    if (target.source) sources.push({ name: target.source.name, key: 'target.source' });
    const children = sources.map(({ name }) => this.#start(`teacher ${name}`, ['teacher', this.#path, name]));
    for (const child of children) {
      child.done.then(
        async () => this.#fail(await stoppedEarly(child)),
        () => undefined,
      );
    }
    return Promise.all(
      sources.map(async ({ name, key }, i) => {
        const listening = await children[i].ready;
        this.#settings.push(`${key}.address=${listening.grpc}`);
        return { name, pid: children[i].pid, ...listening };
      }),
    );
  }

  startFeeder(onFed: (fed: { published: number; total: number }) => void): void {
    this.#start('feed', ['feed', this.#path], onFed);
  }

  /** Starts the trainer; `done` resolves when the fused model is written, rejects when it ends before. */
  startTrainer(): { ready: Promise<Listening>; done: Promise<void> } {
    const child = this.#start('trainer', ['trainer', this.#path]);
    const done = child.done.then(async () => {
      if (!fusedModelIsWritten(this.#config)) throw await stoppedEarly(child);
    });
    return {
      ready: child.ready.then((listening) => ({ name: 'trainer', pid: child.pid, ...listening })),
      done,
    };
  }

  /** The trainer leaves first, with a checkpoint, while all that it speaks to is still there. */
  async stop(): Promise<void> {
    const isTrainer = ({ name }: Child) => name === 'trainer';
    await Promise.all(this.#children.filter(isTrainer).map((child) => child.stop()));
    await Promise.all(this.#children.filter((child) => !isTrainer(child)).map((child) => child.stop()));
  }

  #start(
    name: string,
    parameters: readonly string[],
    onFed?: (fed: { published: number; total: number }) => void,
  ): Child {
    const flags = this.#settings.flatMap((setting) => ['--set', setting]);
    const child = startChild(name, [...parameters, ...flags], {
      logFile: join(this.#config.trainer.output, 'logs', `${name.replace(' ', '-')}.log`),
      ...(onFed ? { onFed } : {}),
    });
    this.#children.push(child);
    child.done.catch(this.#fail);
    return child;
  }
}

/** A process that was asked to stop, and not by us, ends without an error. */
const stoppedEarly = ({ name, logFile }: Child) => childFailure(name, logFile, { code: 0, signal: null });
