import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from '../../test/support/free-port.ts';
import type { CompletionServer } from './completions.ts';

/** How the server is started, beside its model. */
export interface LlamaSettings {
  readonly threads: number;
  /** Answers that are written at a time. */
  readonly slots: number;
  /** Most tokens of a prompt and its answer. */
  readonly contextLength: number;
}

/**
 * Starts llama.cpp's own server.
 *
 * @param command the program with its model, such as `llama-server --model model.gguf`, words apart by one space
 * @returns undefined where it ends before it answers; its errors go to our stderr
 */
export async function startLlamaServer(
  command: string,
  settings: LlamaSettings,
): Promise<CompletionServer | undefined> {
  const port = await freePort();
  const [program, ...parameters] = command.split(' ');
  const child = spawn(program, [...parameters, ...options(port, settings)], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  let isOver = false;
  const ended = once(child, 'close')
    .catch((error) => console.error(String(error)))
    .finally(() => {
      isOver = true;
    });
  const url = `http://127.0.0.1:${port}`;
  while (!(await isReady(url))) {
    if (isOver) return undefined;
    await sleep(100);
  }
  return {
    url,
    model: 'model',
    async close() {
      child.kill();
      await ended;
    },
  };
}

function options(port: number, { threads, slots, contextLength }: LlamaSettings): string[] {
  return [
    ...['--host', '127.0.0.1', '--port', `${port}`, '--log-verbosity', '1'],
    ...['--threads', `${threads}`, '--parallel', `${slots}`, '--ctx-size', `${slots * contextLength}`],
    // Keys and values in the precision of the weights: its own default is float16.
    ...['--cache-type-k', 'f32', '--cache-type-v', 'f32'],
    // The greedy search that costs least: no sampler but the one that takes the likeliest.
    ...['--samplers', 'top_k', '--top-k', '1'],
    // A prompt that comes again is computed again, as ours is.
    ...['--no-cache-prompt', '--cache-ram', '0'],
  ];
}

const isReady = (url: string): Promise<boolean> =>
  fetch(`${url}/health`).then(
    ({ ok }) => ok,
    () => false,
  );
