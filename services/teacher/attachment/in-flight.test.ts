import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { inFlight } from './in-flight.ts';

test('begins in order, never with more than so many on their way, and returns when all are over', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.integer({ min: 0, max: 3 }), { maxLength: 12 }),
      fc.integer({ min: 1, max: 5 }),
      async (pauses, most) => {
        const begun: number[] = [];
        let over = 0;
        let largest = 0;
        await inFlight([...pauses.entries()], most, async ([i, pause]) => {
          begun.push(i);
          largest = Math.max(largest, begun.length - over);
          await sleep(pause);
          over++;
        });
        expect(begun).toEqual(pauses.map((_, i) => i));
        expect(over).toBe(pauses.length);
        expect(largest).toBeLessThanOrEqual(most);
      },
    ),
    { numRuns: 30 },
  );
});

test('tells each when the one before it is over', async () => {
  const over: number[] = [];
  await inFlight([...[30, 1, 10, 0].entries()], 4, async ([i, pause], before) => {
    await sleep(pause);
    await before;
    over.push(i);
  });
  expect(over).toEqual([0, 1, 2, 3]);
});

test('after a failure nothing more begins, and what has begun is waited for', async () => {
  const begun: number[] = [];
  const over: number[] = [];
  const sending = inFlight([0, 1, 2, 3, 4, 5], 3, async (i) => {
    begun.push(i);
    await sleep(i === 1 ? 1 : 100);
    if (i === 1) throw new Error('one');
    over.push(i);
  });
  await expect(sending).rejects.toThrow('one');
  expect(begun).toEqual([0, 1, 2]);
  expect(over).toEqual([0, 2]);
});
