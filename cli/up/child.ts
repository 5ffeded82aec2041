import { type ChildProcess, fork } from 'node:child_process';
import { closeSync, mkdirSync, openSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type ChildMessage, childMessageSchema } from '../child-messages.ts';
import { childFailure, type Exit } from './child-failure.ts';

type Ready = Extract<ChildMessage, { ready: unknown }>['ready'];
/** What a child says of its work, beside that it serves. */
export type Progress = Exclude<ChildMessage, { ready: unknown }>;

const entry = fileURLToPath(new URL('../fusemesh.mjs', import.meta.url));
/** How long a child may take to finish the step in hand and leave. */
const stopWithinMilliseconds = 30_000;

/** A process that `up` started for a run. */
export interface Child {
  readonly name: string;
  readonly pid: number;
  readonly logFile: string;
  /** Resolves when it serves, rejects when it ends before. */
  readonly ready: Promise<Ready>;
  /** Resolves when it ends by itself without an error; rejects when it fails or is killed. */
  readonly done: Promise<void>;
  /** Asks it to stop and returns when it has; after half a minute it is killed. */
  stop(): Promise<void>;
}

/**
 * Starts a verb of this command as a process of its own. It leaves when this process goes away. Its log goes
 * to a file.
 *
 * @param name what people call it ("teacher orator")
 * @param parameters the verb and what follows it
 */
export function startChild(
  name: string,
  parameters: readonly string[],
  { logFile, onProgress }: { logFile: string; onProgress?: (progress: Progress) => void },
): Child {
  mkdirSync(dirname(logFile), { recursive: true });
  const log = openSync(logFile, 'w');
  // Apart from the terminal's process group, so that Ctrl-C reaches `up` alone and it stops them in order.
  const child = fork(entry, [...parameters], {
    detached: true,
    execArgv: [],
    env: { ...process.env, FUSEMESH_PARENT: '1' },
    stdio: ['ignore', log, log, 'ipc'],
  });
  closeSync(log);

  let stopping = false;
  const exit = exitOf(child);
  const done = exit.then(async (ended) => {
    if (ended.code !== 0 && !stopping) throw await childFailure(name, logFile, ended);
  });
  const ready = new Promise<Ready>((resolve, reject) => {
    child.on('message', (message) => {
      const parsed = childMessageSchema.safeParse(message);
      if (!parsed.success) return;
      if ('ready' in parsed.data) resolve(parsed.data.ready);
      else onProgress?.(parsed.data);
    });
    done.then(async () => reject(await childFailure(name, logFile, { code: 0, signal: null })), reject);
  });
  // A failure that comes while nobody awaits is no unhandled rejection: `done` still holds it.
  ready.catch(() => undefined);
  done.catch(() => undefined);

  const stop = async () => {
    stopping = true;
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGTERM');
    const late = setTimeout(() => child.kill('SIGKILL'), stopWithinMilliseconds);
    await exit;
    clearTimeout(late);
  };
  return { name, pid: child.pid!, logFile, ready, done, stop };
}

const exitOf = (child: ChildProcess): Promise<Exit> =>
  new Promise((resolve) => {
    child.once('exit', (code, signal) => resolve({ code, signal }));
    child.once('error', () => resolve({ code: 1, signal: null }));
  });
