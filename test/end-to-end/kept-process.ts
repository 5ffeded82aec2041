import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

/** How long a process that was killed is away, in milliseconds. */
const restartAfter = 200;
/** How much of what a process writes is kept, in characters. */
const tail = 2_000;
const lookEvery = 250;

/** A life of a process, from its start to its end. */
export interface Life {
  readonly pid: number;
  /** Largest memory that it was seen with, in bytes. */
  peakBytes: number;
  /** Undefined while it runs. */
  end: 'killed' | 'stopped' | { readonly code: number | null; readonly said: string } | undefined;
}

/** A program that is started again whenever it ends, save where it ends well and may. */
export class KeptProcess {
  readonly name: string;
  readonly lives: Life[] = [];
  /** Resolves when it has ended with code 0 and is not started again. */
  readonly done: Promise<void>;
  readonly #command: readonly string[];
  readonly #mayEnd: boolean;
  #child: ChildProcess | undefined;
  #stopping = false;
  #killing = false;
  #finish: () => void = () => {};
  #ended: Promise<void> = Promise.resolve();

  /** @param mayEnd whether an end with code 0 is the end of its work */
  constructor(name: string, command: readonly string[], { mayEnd }: { readonly mayEnd: boolean }) {
    this.name = name;
    this.#command = command;
    this.#mayEnd = mayEnd;
    this.done = new Promise((resolve) => {
      this.#finish = resolve;
    });
  }

  start(): void {
    const [program, ...parameters] = this.#command;
    const child = spawn(program, parameters, { stdio: ['ignore', 'pipe', 'pipe'] });
    const life: Life = { pid: child.pid!, peakBytes: 0, end: undefined };
    this.lives.push(life);
    this.#child = child;
    let said = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        said = (said + text).slice(-tail);
      });
    }
    const look = setInterval(() => {
      life.peakBytes = Math.max(life.peakBytes, memoryOf(life.pid, 'VmHWM'));
    }, lookEvery);
    this.#ended = new Promise((resolve) => {
      child.once('close', (code) => {
        clearInterval(look);
        this.#child = undefined;
        life.end = this.#killing ? 'killed' : this.#stopping ? 'stopped' : { code, said };
        this.#killing = false;
        if (code === 0 && this.#mayEnd) this.#finish();
        else if (!this.#stopping) setTimeout(() => !this.#stopping && this.start(), restartAfter);
        resolve();
      });
    });
  }

  /** Kills it as the kernel does that is out of memory; it is started again. Returns when it has ended. */
  async kill(whileAway: () => Promise<void> = async () => {}): Promise<void> {
    if (this.#child === undefined) return;
    this.#killing = true;
    this.#child.kill('SIGKILL');
    await this.#ended;
    await whileAway();
  }

  /** Asks it to end, as who updates it does; it is started again. Returns when it has ended. */
  async restart(): Promise<void> {
    this.#child?.kill('SIGTERM');
    await this.#ended;
  }

  /** Kills it for good, as a machine does that burns down. */
  async lose(): Promise<void> {
    this.#stopping = true;
    this.#child?.kill('SIGKILL');
    await this.#ended;
  }

  /** Lets it do nothing for a while, as a machine does that is suspended. */
  async freeze(milliseconds: number): Promise<void> {
    this.#child?.kill('SIGSTOP');
    await sleep(milliseconds);
    this.#child?.kill('SIGCONT');
  }

  /** Memory that it has at the moment, in bytes; 0 where it does not run. */
  get bytes(): number {
    return this.#child === undefined ? 0 : memoryOf(this.#child.pid!, 'VmRSS');
  }

  /** Whether it runs at the moment. */
  get runs(): boolean {
    return this.#child !== undefined;
  }

  /** Asks it to end and waits for it. */
  async stop(): Promise<void> {
    this.#stopping = true;
    this.#child?.kill('SIGTERM');
    const late = setTimeout(() => this.#child?.kill('SIGKILL'), 15_000);
    await this.#ended;
    clearTimeout(late);
    await sleep(0);
  }
}

/** Memory of a process in bytes, the most that it had or what it has now; 0 where it does not run. */
export function memoryOf(pid: number, what: 'VmHWM' | 'VmRSS'): number {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    const line = status.split('\n').find((each) => each.startsWith(`${what}:`));
    return 1024 * Number.parseInt(line?.slice(what.length + 1) ?? '0', 10);
  } catch {
    // Not Linux, or gone in the meantime.
    return 0;
  }
}
