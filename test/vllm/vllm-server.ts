import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from '../support/free-port.ts';

export interface VllmOptions {
  /** A Hugging Face directory; it is served as "model". */
  readonly model: string;
  readonly dtype: 'float32' | 'bfloat16';
  readonly maxModelLen: number;
}

/** A real vLLM on the processor. A start takes a minute. */
export class VllmServer {
  readonly url: string;
  readonly #port: number;
  readonly #options: VllmOptions;
  #child: ChildProcess | undefined;

  private constructor(port: number, options: VllmOptions) {
    this.url = `http://127.0.0.1:${port}`;
    this.#port = port;
    this.#options = options;
  }

  static async start(options: VllmOptions): Promise<VllmServer> {
    const server = new VllmServer(await freePort(), options);
    await server.start();
    return server;
  }

  /** Starts it, for the first time or again at the same port, and waits until it answers. */
  async start(): Promise<void> {
    const { model, dtype, maxModelLen } = this.#options;
    const settings = {
      port: this.#port,
      host: '127.0.0.1',
      'served-model-name': 'model',
      dtype,
      'max-model-len': maxModelLen,
      'max-num-seqs': 8,
      'max-logprobs': 64,
    };
    const flags = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, String(value)]);
    const program = join(process.env['FUSEMESH_VLLM']!, 'bin', 'vllm');
    // A group of its own: its engine is a process of its own too.
    const child = spawn(program, ['serve', model, ...flags, '--enforce-eager'], {
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: {
        ...process.env,
        VLLM_CPU_KVCACHE_SPACE: '1',
        VLLM_CPU_OMP_THREADS_BIND: 'nobind',
        OMP_NUM_THREADS: '2',
        HF_HUB_OFFLINE: '1',
        VLLM_NO_USAGE_STATS: '1',
        DO_NOT_TRACK: '1',
      },
    });
    this.#child = child;
    let said = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        said = (said + text).slice(-4_000);
      });
    }
    for (;;) {
      const health = await fetch(`${this.url}/health`).catch(() => undefined);
      if (health?.ok) return;
      if (child.exitCode !== null) throw new Error(`vLLM ended with ${child.exitCode}: ${said}`);
      await sleep(500);
    }
  }

  /** Ends it and its engine, as a machine does that goes away. */
  async kill(): Promise<void> {
    const child = this.#child;
    if (child?.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    process.kill(-child.pid, 'SIGKILL');
    await ended;
  }
}
