/** Two hundred exchanges of weights under load: no failed request, no answer mixed from two models, memory flat. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { writeContrary } from '../test/support/changed-model.ts';
import { startTarget, zooModel } from '../test/support/running-target.ts';
import { swapUnderLoad } from '../test/support/swaps-under-load.ts';

const swaps = 200;
const root = await mkdtemp(join(tmpdir(), 'fusemesh-prove-swaps-'));
const contrary = join(root, 'contrary');
await writeContrary(contrary, zooModel('target'));
const target = await startTarget(zooModel('target'), { slots: 16 });
const began = performance.now();
const { answers, byModel, wrong, residentBytes } = await swapUnderLoad(
  target,
  [zooModel('target'), contrary],
  {
    swaps,
    clients: 6,
  },
);
const seconds = (performance.now() - began) / 1000;
await target.stop();
await rm(root, { recursive: true });

const megabytes = (from: number, to: number) => {
  const quarter = residentBytes.slice(from, to);
  return (quarter.reduce((sum, bytes) => sum + bytes, 0) / quarter.length / 1e6).toFixed(0);
};
console.log(
  `${swaps} swaps in ${seconds.toFixed(1)} s, ${answers} answers: ${byModel.join(' and ')} by model`,
);
console.log(`${wrong.length} failed or wrong`);
for (const one of wrong.slice(0, 10)) console.log(`  ${one}`);
console.log(
  `resident memory, MB, mean of each quarter: ${[0, 1, 2, 3].map((q) => megabytes(q * 50, q * 50 + 50)).join(', ')}`,
);
if (wrong.length > 0) process.exitCode = 1;
