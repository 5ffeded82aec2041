import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { gatherBatches } from './gather-batches.ts';

async function* arriving(groups: readonly (readonly number[])[], gap: number): AsyncGenerator<number> {
  for (const group of groups) {
    yield* group;
    await sleep(gap);
  }
}

async function collect(batches: AsyncIterable<number[]>): Promise<number[][]> {
  const all: number[][] = [];
  for await (const batch of batches) all.push(batch);
  return all;
}

test('gives every item once, in order, in batches no larger than asked', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.array(fc.integer(), { maxLength: 9 }), { maxLength: 4 }),
      fc.integer({ min: 1, max: 5 }),
      async (groups, most) => {
        const batches = await collect(gatherBatches(arriving(groups, 0), { most, patience: 5 }));
        expect(batches.flat()).toEqual(groups.flat());
        for (const batch of batches) expect(batch.length).toBeLessThanOrEqual(most);
        expect(batches.every((batch) => batch.length > 0)).toBe(true);
      },
    ),
    { numRuns: 30 },
  );
});

test('hands on a short batch when no more comes', async () => {
  const batches = await collect(gatherBatches(arriving([[1, 2], [3]], 100), { most: 8, patience: 10 }));
  expect(batches).toEqual([[1, 2], [3]]);
});

test('passes an error on', async () => {
  async function* failing(): AsyncGenerator<number> {
    yield 1;
    throw new Error('the stream broke');
  }
  await expect(collect(gatherBatches(failing(), { most: 1, patience: 1 }))).rejects.toThrow(
    'the stream broke',
  );
});
