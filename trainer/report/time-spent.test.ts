import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { TimeSpent } from './time-spent.ts';

it('adds up what each phase took, and tells what is new of it', async () => {
  const time = new TimeSpent();
  time.add({ wait: 1, compute: 2 });
  time.add({ compute: 3 });
  expect(time.take()).toEqual({ wait: 1, align: 0, compute: 5, optimizer: 0, checkpoint: 0, evaluate: 0 });
  expect(await time.during('evaluate', () => sleep(30, 'done'))).toBe('done');
  await expect(time.during('checkpoint', () => Promise.reject(new Error('full')))).rejects.toThrow('full');
  const taken = time.take();
  expect(taken).toMatchObject({ wait: 0, compute: 0 });
  expect(taken.evaluate).toBeGreaterThan(0.02);
  expect(taken.checkpoint).toBeGreaterThanOrEqual(0);
  expect(time.total).toMatchObject({ wait: 1, compute: 5, evaluate: taken.evaluate });
});
