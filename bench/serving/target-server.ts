import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { CompletionServer } from './completions.ts';

/** Serves a model as our target service does, in a process of its own. */
export async function startTargetServer(
  directory: string,
  { threads, slots }: { readonly threads: number; readonly slots: number },
): Promise<CompletionServer> {
  const worker = join(import.meta.dirname, 'target-worker.ts');
  const child = fork(worker, [directory, `${threads}`, `${slots}`], { execArgv: ['--import', 'tsx'] });
  const ended = once(child, 'exit');
  const [url] = await Promise.race([once(child, 'message'), ended]);
  if (typeof url !== 'string') throw new Error('our target service did not start');
  return {
    url,
    model: 'demo',
    async close() {
      child.disconnect();
      await ended;
    },
  };
}
