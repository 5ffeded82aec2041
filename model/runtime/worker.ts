import './no-telemetry.ts';
import { once } from 'node:events';
import { basename } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { parentPort, Worker } from 'node:worker_threads';
import { type ErrorCode, FuseMeshError } from '../../errors/fusemesh-error.ts';
import { type Received, type Transferring, unmarked } from './transferring.ts';

/** What a worker thread offers: methods on plain data. */
export type Methods = { readonly [name: string]: (...parameters: never[]) => unknown };

/** The same methods seen from the thread that started the worker. */
export type Remote<M extends Methods> = {
  readonly [Name in keyof M]: (
    ...parameters: Sent<Parameters<M[Name]>>
  ) => Promise<Received<Awaited<ReturnType<M[Name]>>>>;
};

type Sent<Parameters extends readonly unknown[]> = {
  [Index in keyof Parameters]: Parameters[Index] | Transferring<Parameters[Index]>;
};

const bootstrap = new URL('./worker-bootstrap.mjs', import.meta.url);

interface Call {
  readonly id: number;
  readonly method: string;
  readonly parameters: readonly unknown[];
}

type Reply =
  | { readonly id: number; readonly result: unknown }
  | { readonly id: number; readonly message: string; readonly code: ErrorCode };

interface Waiting {
  resolve(result: unknown): void;
  reject(error: Error): void;
}

/** A worker thread of ours. */
export interface RunningWorker<M extends Methods> {
  readonly remote: Remote<M>;
  /** Resolves when the thread ends by itself; never after `stop`. */
  readonly failed: Promise<FuseMeshError>;
  stop(): Promise<void>;
}

/**
 * Starts a worker thread whose file calls {@link serveWorker}. Calls run one after another, in order. Buffers
 * are copied, unless a parameter or a result is `transferring(…)` them.
 *
 * @param file URL of a TypeScript or JavaScript module
 */
export function startWorker<M extends Methods>(file: URL): RunningWorker<M> {
  const name = basename(file.pathname);
  const worker = new Worker(bootstrap, { workerData: { file: file.href }, execArgv: [] });
  const waiting = new Map<number, Waiting>();
  let calls = 0;
  let failure: FuseMeshError | undefined;
  let stopping = false;
  let hearFailure: (failure: FuseMeshError) => void;
  const failed = new Promise<FuseMeshError>((resolve) => {
    hearFailure = resolve;
  });

  worker.on('message', (reply: Reply) => {
    const call = waiting.get(reply.id);
    waiting.delete(reply.id);
    if ('result' in reply) call?.resolve(reply.result);
    else call?.reject(new FuseMeshError(reply.code, reply.message));
  });
  const fail = (reason: string) => {
    failure ??= new FuseMeshError('internal', `the worker thread of ${name} ${reason}`);
    if (!stopping) hearFailure(failure);
    for (const call of waiting.values()) call.reject(failure);
    waiting.clear();
  };
  worker.on('error', (error) => fail(`failed: ${error instanceof Error ? error.message : String(error)}`));
  worker.on('exit', () => fail('has stopped'));

  const call = (method: string, parameters: readonly unknown[]): Promise<unknown> =>
    new Promise((resolve, reject) => {
      if (failure) return reject(failure);
      const id = calls++;
      waiting.set(id, { resolve, reject });
      const { values, buffers } = unmarked(parameters);
      worker.postMessage({ id, method, parameters: values } satisfies Call, buffers);
    });
  const remote = new Proxy({} as Remote<M>, {
    get:
      (_, method: string) =>
      (...parameters: unknown[]) =>
        call(method, parameters),
  });
  return {
    remote,
    failed,
    stop: async () => {
      stopping = true;
      if (failure) return;
      const ended = once(worker, 'exit');
      worker.postMessage(endOfThread);
      await Promise.race([ended, setTimeout(endsWithin, undefined, { ref: false })]);
      await worker.terminate();
    },
  };
}

/** Asks a thread to free what it has and to end. */
const endOfThread = 'end';

/** One that computes for longer does not hear it, and is ended as it is. */
const endsWithin = 1000;

const endings: (() => void)[] = [];

/** @param end frees what would outlive this thread, when it is stopped */
export function atEndOfThread(end: () => void): void {
  endings.push(end);
}

/**
 * Answers the calls of the thread that started this worker.
 *
 * @param apart methods that wait for no other call, and that none waits for: what they do beside it must be asynchronous
 */
export function serveWorker<M extends Methods>(
  methods: M,
  { apart = [] }: { readonly apart?: readonly (keyof M)[] } = {},
): void {
  const port = parentPort;
  if (!port) throw new FuseMeshError('internal', 'this module runs in a worker thread only');
  let last: Promise<void> = Promise.resolve();
  port.on('message', (message: Call | typeof endOfThread) => {
    if (message === endOfThread) {
      for (const end of endings) end();
      process.exit();
    }
    const { id, method, parameters } = message;
    const run = async () => {
      const { reply, buffers } = await answer(methods, id, method, parameters);
      port.postMessage(reply, buffers);
    };
    if (apart.includes(method)) void run();
    else last = last.then(run);
  });
}

async function answer(
  methods: Methods,
  id: number,
  method: string,
  parameters: readonly unknown[],
): Promise<{ reply: Reply; buffers: ArrayBuffer[] }> {
  try {
    const result = await methods[method](...(parameters as never[]));
    const { values, buffers } = unmarked([result]);
    return { reply: { id, result: values[0] }, buffers };
  } catch (error) {
    const code = error instanceof FuseMeshError ? error.code : 'internal';
    const message = error instanceof Error ? error.message : String(error);
    return { reply: { id, code, message }, buffers: [] };
  }
}
