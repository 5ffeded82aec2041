import { join } from 'node:path';
import { sourcesOf } from '../../process/config/run-sources.ts';
import type { RunConfig } from '../../process/config/schema.ts';
import { fusedModelIsWritten } from '../../trainer/fused-model.ts';
import { targetServiceName } from '../reach/reachable.ts';
import { type Child, type Progress, startChild } from './child.ts';
import { childFailure } from './child-failure.ts';

/** Where a process of the run listens. */
export interface Listening {
  readonly name: string;
  /** HOST:PORT of its gRPC service. */
  readonly grpc: string;
  readonly metricsPort: number;
  readonly pid: number;
  /** One more line for people. */
  readonly note?: string | undefined;
}

export const rolloutName = 'rollout worker';

type OnFed = (fed: { published: number; total: number }) => void;
type OnProgress = (progress: Progress) => void;
type OnRecorded = (recorded: Extract<Progress, { recorded: unknown }>['recorded']) => void;

/**
 * The processes of one run: starts them with the real addresses of those before them, and stops them in the
 * order in which nothing is lost.
 */
export class RunProcesses {
  readonly #path: string;
  readonly #config: RunConfig;
  readonly #settings: string[];
  readonly #children: Child[] = [];
  readonly #left = new Set<string>();
  #stopping = false;
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

  /** Names of the teachers whose processes have ended in a run that continues without them. */
  get left(): ReadonlySet<string> {
    return this.#left;
  }

  /**
   * Starts every teacher and, where the run has one, the target's frozen copy; returns when all serve.
   *
   * @param onLeft called with why one has ended that the run continues without
   */
  async startTeachers(onLeft: (failure: Error) => void): Promise<Listening[]> {
    const sources = sourcesOf(this.#config);
    const children = sources.map(({ name }) => this.#spawn(`teacher ${name}`, ['teacher', this.#path, name]));
    const { join } = this.#config.trainer;
    const needed = join === 'all' ? sources.length : join.atLeast;
    for (const [i, child] of children.entries()) {
      const ended = (failure: Error) => {
        this.#left.add(sources[i].name);
        if (sources.length - this.#left.size < needed) this.#fail(failure);
        else if (!this.#stopping) onLeft(failure);
      };
      child.done
        .then(
          () => stoppedEarly(child),
          (error: Error) => error,
        )
        .then(ended);
    }
    return Promise.all(
      sources.map(async ({ name, key }, i) => {
        const listening = await children[i].ready;
        this.#settings.push(`${key}.address=${listening.grpc}`);
        return { name, pid: children[i].pid, ...listening };
      }),
    );
  }

  /** Starts the target service, which answers with the weights that the trainer publishes; returns when it serves. */
  async startTargetService(): Promise<Listening> {
    const child = this.#start(targetServiceName, ['target', this.#path]);
    const listening = await child.ready;
    this.#settings.push(`target.service.address=${listening.grpc}`);
    return { name: targetServiceName, pid: child.pid, ...listening };
  }

  /** Starts a rollout worker; `writing` resolves with the port of its metrics. */
  startRolloutWorker(): { readonly pid: number; readonly writing: Promise<number> } {
    let tell: (metricsPort: number) => void = () => undefined;
    const writing = new Promise<number>((resolve) => {
      tell = resolve;
    });
    const { pid } = this.#start(rolloutName, ['rollout', this.#path], (progress) => {
      if ('writing' in progress) tell(progress.writing.metricsPort);
    });
    return { pid, writing };
  }

  startFeeder(onFed: OnFed): void {
    this.#start('feed', ['feed', this.#path], (progress) => 'fed' in progress && onFed(progress.fed));
  }

  /** Starts the recorder; resolves when the recording is whole, rejects when it ends before. */
  async startRecorder(directory: string, onRecorded: OnRecorded): Promise<void> {
    let isWhole = false;
    const child = this.#start('record', ['record', this.#path, '--alone', '--to', directory], (progress) => {
      if (!('recorded' in progress)) return;
      const { recorded } = progress;
      isWhole = recorded.documents === recorded.total;
      onRecorded(recorded);
    });
    await child.done;
    if (!isWhole) throw await stoppedEarly(child);
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

  /** Trainer or recorder leaves first, with what it has on disk, while all that it speaks to is still there. */
  async stop(): Promise<void> {
    this.#stopping = true;
    const isFirst = ({ name }: Child) => name === 'trainer' || name === 'record';
    await Promise.all(this.#children.filter(isFirst).map((child) => child.stop()));
    await Promise.all(this.#children.filter((child) => !isFirst(child)).map((child) => child.stop()));
  }

  #start(name: string, parameters: readonly string[], onProgress?: OnProgress): Child {
    const child = this.#spawn(name, parameters, onProgress);
    child.done.catch(this.#fail);
    return child;
  }

  #spawn(name: string, parameters: readonly string[], onProgress?: OnProgress): Child {
    const flags = this.#settings.flatMap((setting) => ['--set', setting]);
    const child = startChild(name, [...parameters, ...flags], {
      logFile: join(this.#config.trainer.output, 'logs', `${name.replaceAll(' ', '-')}.log`),
      ...(onProgress ? { onProgress } : {}),
    });
    this.#children.push(child);
    return child;
  }
}

/** Of a process that somebody else asked to stop: it ends without an error of its own. */
const stoppedEarly = ({ name, logFile }: Child) => childFailure(name, logFile, { code: 0, signal: null });
