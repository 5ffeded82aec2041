import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';

/** One side of a comparison, in a process of its own, so that its peak memory can be measured. */
export interface Side<Request, Answer> {
  /** Id of the process. */
  readonly pid: number;
  ask(request: Request): Promise<Answer>;
  close(): Promise<void>;
}

/**
 * Starts a program that speaks JSON lines.
 *
 * @returns undefined where it ends before it is ready; its stderr, which says why, goes to ours
 */
export async function startSide<Request, Answer>(
  command: string,
  parameters: readonly string[],
): Promise<Side<Request, Answer> | undefined> {
  const child = spawn(command, parameters, { stdio: ['pipe', 'pipe', 'inherit'] });
  const ended = once(child, 'close').catch(() => undefined);
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  if ((await lines.next()).done) return undefined;
  return {
    pid: child.pid!,
    async ask(request) {
      child.stdin.write(`${JSON.stringify(request)}\n`);
      const { value, done } = await lines.next();
      if (done) throw new Error(`${command} ended in the middle of its work`);
      return JSON.parse(value) as Answer;
    },
    async close() {
      child.stdin.end();
      await ended;
    },
  };
}

/** To be awaited between two sides' turns: a side's threads keep spinning after their work, and would slow the next. */
export const spinningEnds = (): Promise<void> => sleep(100);
