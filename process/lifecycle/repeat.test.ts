import { expect, it } from 'vitest';
import { FuseMeshError } from '../../errors/fusemesh-error.ts';
import { repeatUntilAborted, sleepUnlessAborted } from './repeat.ts';

it('sleeps so long, or until aborted', async () => {
  const begin = performance.now();
  await sleepUnlessAborted(30, new AbortController().signal);
  expect(performance.now() - begin).toBeGreaterThan(25);

  const abort = new AbortController();
  const sleeping = sleepUnlessAborted(60_000, abort.signal);
  abort.abort();
  await sleeping;
  await sleepUnlessAborted(60_000, abort.signal);
});

it('repeats until aborted, and not at all when aborted before', async () => {
  const abort = new AbortController();
  let times = 0;
  const repetition = { pause: 1, signal: abort.signal };
  const work = async () => {
    if (++times === 3) abort.abort();
  };
  await repeatUntilAborted(repetition, work);
  expect(times).toBe(3);
  await repeatUntilAborted(repetition, work);
  expect(times).toBe(3);
});

it('goes on after a failure that is told, and ends with one that is not', async () => {
  const abort = new AbortController();
  const { signal } = abort;
  const failing = (error: Error) => async () => {
    throw error;
  };
  const away = new FuseMeshError('unavailable', 'away');
  const told: string[] = [];
  const onFailure = ({ message }: FuseMeshError) => {
    if (told.push(message) === 2) abort.abort();
  };
  const odd = new Error('odd');
  await expect(repeatUntilAborted({ pause: 1, signal, onFailure }, failing(odd))).rejects.toThrow('odd');
  await expect(repeatUntilAborted({ pause: 1, signal }, failing(away))).rejects.toThrow('away');
  await repeatUntilAborted({ pause: 1, signal, onFailure }, failing(away));
  expect(told).toEqual(['away', 'away']);
});

it('ends in peace when what it did fails because of the abort', async () => {
  const abort = new AbortController();
  await repeatUntilAborted({ pause: 1, signal: abort.signal }, async () => {
    abort.abort();
    throw new FuseMeshError('cancelled', 'stopped');
  });
});
