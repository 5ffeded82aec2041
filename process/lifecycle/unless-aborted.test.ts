import { getEventListeners } from 'node:events';
import { expect, test } from 'vitest';
import { unlessAborted } from './unless-aborted.ts';

const never = new Promise<never>(() => {});

test('is what the promise resolves to or rejects with, and leaves nothing at the signal', async () => {
  const { signal } = new AbortController();
  expect(await unlessAborted(Promise.resolve(7), signal)).toBe(7);
  await expect(unlessAborted(Promise.reject(new Error('broken')), signal)).rejects.toThrow('broken');
  expect(getEventListeners(signal, 'abort')).toEqual([]);
});

test('is undefined once the signal aborts, before or meanwhile, whatever becomes of the promise', async () => {
  const stop = new AbortController();
  const waiting = unlessAborted(never, stop.signal);
  const failing = unlessAborted(
    new Promise((_, reject) => {
      stop.signal.addEventListener('abort', () => reject(new Error('too late')), { once: true });
    }),
    stop.signal,
  );
  stop.abort();
  expect(await waiting).toBeUndefined();
  expect(await failing).toBeUndefined();
  expect(await unlessAborted(Promise.resolve(7), stop.signal)).toBeUndefined();
  expect(getEventListeners(stop.signal, 'abort')).toHaveLength(0);
});
