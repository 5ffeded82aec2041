import { setMaxListeners } from 'node:events';
import type { Notifier } from './notifier.ts';

/** What goes on beside the training: it ends with it, and the training ends when one of them fails. */
export class BackgroundTasks {
  /** Aborts when the training is to stop, for whatever reason. */
  readonly signal: AbortSignal;
  readonly #abort = new AbortController();
  readonly #tasks: Promise<void>[] = [];
  #failure: { readonly error: unknown } | undefined;

  /**
   * @param outer aborts when the process is asked to stop
   * @param change announced then, for those who sleep
   */
  constructor(outer: AbortSignal, notifier: Notifier) {
    this.signal = AbortSignal.any([outer, this.#abort.signal]);
    // Several for every source: many are no leak.
    setMaxListeners(0, this.signal);
    this.signal.addEventListener('abort', () => notifier.notifyAll(), { once: true });
  }

  run(task: (signal: AbortSignal) => Promise<void>): void {
    const fail = (error: unknown) => {
      this.#failure ??= { error };
      this.#abort.abort();
    };
    this.#tasks.push(task(this.signal).catch(fail));
  }

  /** Stops all tasks and waits until they have ended. */
  async stop(): Promise<void> {
    this.#abort.abort();
    await Promise.all(this.#tasks);
  }

  /** Throws what a task failed with, if one has. */
  throwFailure(): void {
    if (this.#failure !== undefined) throw this.#failure.error;
  }
}
