import type { Replica } from './source.ts';

/** A process that works for a run says how it goes every second; so many without a word, and it hangs. */
export const silentFor = 5;
/** In milliseconds. */
const listenEvery = 1_000;

/** Listens to one process of a source. */
export interface Listening {
  /** Aborts when the process hangs: it is stopped, or stuck, or its machine is gone. */
  readonly hangs: AbortSignal;
  /** Nobody wants to know any more. */
  stop(): void;
}

/**
 * Notices that a process has fallen silent. Seconds are counted by looking, so that this process, when it was stopped
 * itself, does not take its own silence for that of others.
 */
export function listenTo(replica: Pick<Replica, 'words'>): Listening {
  const hangs = new AbortController();
  let heard = replica.words;
  let quiet = 0;
  const timer = setInterval(() => {
    quiet = replica.words === heard ? quiet + 1 : 0;
    heard = replica.words;
    if (quiet >= silentFor) hangs.abort();
  }, listenEvery);
  return { hangs: hangs.signal, stop: () => clearInterval(timer) };
}
