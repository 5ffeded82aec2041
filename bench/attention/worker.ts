/** One side of the benchmark `attention`: any line asks for a turn, a JSON line answers. */
import { createInterface } from 'node:readline';
import { measureBlock } from './block.ts';
import { measureScoring } from './scoring.ts';
import type { Measured, Setting } from './setting.ts';

const setting = JSON.parse(process.argv[2]) as Setting;
const { run, close } = await (setting.work === 'scoring' ? measureScoring : measureBlock)(setting);
console.log(JSON.stringify({ ready: true }));
for await (const _ of createInterface({ input: process.stdin })) {
  const began = performance.now();
  await run();
  const seconds = (performance.now() - began) / 1000;
  const answer: Measured = { seconds, peakBytes: process.resourceUsage().maxRSS * 1024 };
  console.log(JSON.stringify(answer));
}
await close();
