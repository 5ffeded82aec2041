import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { FuseMeshError } from '../../errors/fusemesh-error.ts';
import { type KeptProgram, keepProgram } from '../../process/lifecycle/kept-program.ts';

const startWithin = 60_000;

/** A program that answers HTTP on this machine. */
export interface HttpProgram {
  readonly name: string;
  readonly program: string;
  readonly parameters: readonly string[];
  /** File that gets what it writes. */
  readonly log: string;
  /** URL that answers 200 as soon as it serves. */
  readonly ready: string;
}

/** A server of others that runs until it is stopped. */
export interface RunningServer {
  /** Rejects when it ends by itself; never resolves. */
  readonly failure: Promise<never>;
  stop(): Promise<void>;
}

/**
 * Starts a server and returns when it serves. It dies with this process.
 *
 * @throws FuseMeshError failed_precondition with its last words when it does not start
 */
export async function startServer(server: HttpProgram, signal: AbortSignal): Promise<RunningServer> {
  const kept = await keepProgram(server.program, server.parameters, { log: server.log });
  let stopping = false;
  const failure = kept.ended.then(async (): Promise<never> => {
    if (stopping) return new Promise(() => undefined);
    throw await lastWords(server);
  });
  failure.catch(() => undefined);
  const stop = () => {
    stopping = true;
    return kept.stop();
  };
  try {
    await Promise.race([untilReady(kept, server, signal), failure]);
  } catch (error) {
    await stop();
    throw error;
  }
  return { failure, stop };
}

async function untilReady(kept: KeptProgram, server: HttpProgram, signal: AbortSignal): Promise<void> {
  const deadline = Date.now() + startWithin;
  while (kept.exitCode() === undefined && !signal.aborted) {
    const answer = await fetch(server.ready, { signal }).catch(() => undefined);
    if (answer?.ok) return;
    if (Date.now() > deadline) {
      throw new FuseMeshError(
        'failed_precondition',
        `${server.name} does not serve within a minute: see ${server.log}`,
      );
    }
    await sleep(100);
  }
}

async function lastWords({ name, program, log }: HttpProgram): Promise<FuseMeshError> {
  const line = (await readFile(log, 'utf8').catch(() => '')).trim().split('\n').at(-1);
  // Both write logs as key="value".
  const error = /\berr(?:or)?="((?:[^"\\]|\\.)*)"/.exec(line ?? '')?.[1];
  return new FuseMeshError(
    'failed_precondition',
    `${name} (${program}) has ended: ${error || line || 'it said nothing'} [log: ${log}]`,
  );
}
