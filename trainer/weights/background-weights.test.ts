import { expect, it } from 'vitest';
import type { TrainedTensor } from '../../engine/engine-snapshot.ts';
import { FuseMeshError } from '../../errors/fusemesh-error.ts';
import { createLog } from '../../process/log/log.ts';
import { BackgroundWeights } from './background-weights.ts';

/** Publications that end when the test says so. */
function way({ every = 1, has = async () => true } = {}) {
  const published: number[] = [];
  const ends: ((error?: Error) => void)[] = [];
  const changes: string[] = [];
  let copies = 0;
  const weights = new BackgroundWeights({
    every,
    weights: async (): Promise<TrainedTensor[]> => {
      copies++;
      return [];
    },
    publish: (step) =>
      new Promise((resolve, reject) => {
        published.push(step);
        ends.push((error) => {
          if (error) reject(error);
          else resolve({ step, id: String(step), bytes: 0, chunks: 0, sha256: '', metadata: {} });
        });
      }),
    has,
    onChange: () => changes.push('change'),
    onWaited: () => {},
    signal: AbortSignal.abort(),
    log: createLog('test', { level: 'silent' }),
  });
  return { weights, published, ends, changes, copies: () => copies };
}

const untilChange = (changes: readonly string[], count = 1) => expect.poll(() => changes.length).toBe(count);

it('publishes the weights of the start, and then those of every so many steps', async () => {
  const { weights, published, ends } = way({ every: 2 });
  await weights.begin(4);
  ends[0]();
  for (const step of [5, 6, 7, 8]) {
    await weights.after(step);
    ends.at(-1)!();
    await new Promise(setImmediate);
  }
  expect(published).toEqual([4, 6, 8]);
});

it('skips the steps of a slow publication without a copy, and says when it ends that the newest are due', async () => {
  const { weights, published, ends, changes, copies } = way();
  await weights.begin(0);
  for (const step of [1, 2, 3]) await weights.after(step);
  expect(published).toEqual([0]);
  expect(copies()).toBe(1);
  expect(weights.isDue).toBe(false);
  ends[0]();
  await untilChange(changes);
  expect(weights.isDue).toBe(true);
  // The training waits for documents: nobody calls `after`.
  await weights.begin(3);
  expect(published).toEqual([0, 3]);
  expect(weights.isDue).toBe(false);
});

it('ends with the weights of the last step, also where those were skipped', async () => {
  const { weights, published, ends } = way();
  await weights.begin(0);
  await weights.after(1);
  const finished = weights.finish(1);
  ends[0]();
  await expect.poll(() => published).toEqual([0, 1]);
  ends[1]();
  await finished;
  await weights.finish(1);
  expect(published).toEqual([0, 1]);
});

it('tries again with the newest where NATS is away, and lets the training end without it', async () => {
  const { weights, published, ends, changes } = way();
  await weights.begin(0);
  ends[0](new FuseMeshError('unavailable', 'away'));
  await untilChange(changes);
  expect(weights.isDue).toBe(true);
  await weights.after(1);
  expect(published).toEqual([0, 1]);
  const finished = weights.finish(1);
  ends[1](new FuseMeshError('unavailable', 'away'));
  await expect.poll(() => ends.length).toBe(3);
  ends[2](new FuseMeshError('unavailable', 'away'));
  await finished;
});

it('ends the training where it may not publish', async () => {
  const { weights, ends, changes } = way();
  await weights.begin(0);
  ends[0](new FuseMeshError('permission_denied', 'not you'));
  await untilChange(changes);
  await expect(weights.after(1)).rejects.toMatchObject({ code: 'permission_denied' });
});

it('publishes again what NATS has lost', async () => {
  const { weights, ends, changes } = way({ has: async () => false });
  await weights.begin(5);
  ends[0]();
  await new Promise(setImmediate);
  const abort = new AbortController();
  const keeping = weights.keepThere(abort.signal);
  await untilChange(changes);
  expect(weights.isDue).toBe(true);
  abort.abort();
  await keeping;
});
