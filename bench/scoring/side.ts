import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

export interface Request {
  /** Token ids of each text. */
  readonly texts: readonly (readonly number[])[];
  /** Candidates a token. */
  readonly k: number;
}

export interface Scored {
  /** Wall time of the scoring alone. */
  readonly seconds: number;
  /** Largest resident set of the process so far. */
  readonly peakBytes: number;
  /** [tokens × k], the texts one behind the other; by falling probability. */
  readonly candidateIds: readonly number[];
  /** [tokens × k] in nats. */
  readonly logProbabilities: readonly number[];
  /** [tokens − texts] in nats, of the token that follows. */
  readonly labelLogProbabilities: readonly number[];
}

/** One side of the comparison: a process of its own, so that its peak memory is its own. */
export interface Side {
  score(request: Request): Promise<Scored>;
  close(): Promise<void>;
}

/**
 * Starts a program that speaks JSON lines.
 *
 * @returns nothing where it ends before it is ready; what it says of that goes to stderr
 */
export async function startSide(command: string, parameters: readonly string[]): Promise<Side | undefined> {
  const child = spawn(command, parameters, { stdio: ['pipe', 'pipe', 'inherit'] });
  const ended = once(child, 'close').catch(() => undefined);
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  if ((await lines.next()).done) return undefined;
  return {
    async score(request) {
      child.stdin.write(`${JSON.stringify(request)}\n`);
      const { value, done } = await lines.next();
      if (done) throw new Error(`${command} ended in the middle of its work`);
      return JSON.parse(value) as Scored;
    },
    async close() {
      child.stdin.end();
      await ended;
    },
  };
}
