import { join } from 'node:path';
import { expect, it } from 'vitest';
import { writeContrary } from '../../test/support/changed-model.ts';
import { startTarget, zooModel } from '../../test/support/running-target.ts';
import { swapUnderLoad } from '../../test/support/swaps-under-load.ts';
import { temporaryDirectory } from '../../test/support/temporary-directory.ts';

it('exchanges weights forty times under load: no request fails, no answer is of two models', async () => {
  const contrary = join(await temporaryDirectory(), 'contrary');
  await writeContrary(contrary, zooModel('target'));
  const target = await startTarget(zooModel('target'), { slots: 8 });
  const { wrong, byModel, residentBytes } = await swapUnderLoad(target, [zooModel('target'), contrary], {
    swaps: 40,
    clients: 2,
  });
  await target.stop();
  expect(wrong).toEqual([]);
  expect(Math.min(...byModel)).toBeGreaterThan(20);
  // The second half of the swaps takes no more than the first, but for what the allocator keeps: two models are 10 MB.
  const highest = (values: readonly number[]) => Math.max(...values);
  expect(highest(residentBytes.slice(20)) - highest(residentBytes.slice(0, 20))).toBeLessThan(64e6);
});
