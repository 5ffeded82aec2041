/** Speed of AdamW with clipping on one core, against PyTorch's. */
import { join } from 'node:path';
import { adamwStep, globalNorm, type OptimizedTensor } from '../engine/adamw.ts';
import { createRandom } from '../test/support/random.ts';
import { type Figure, report } from './report.ts';
import { startSide } from './side.ts';

const millions = [1, 4, 16];
const rounds = 20;
const options = { beta1: 0.9, beta2: 0.95, weightDecay: 0.1, clipNorm: 1 };

/** Time of one step of the rival, with each of its two implementations. */
interface RivalSeconds {
  readonly foreachSeconds: number;
  readonly fusedSeconds: number;
}

function randomTensor(parameters: number): OptimizedTensor {
  const random = createRandom(6);
  const values = () => Float32Array.from({ length: parameters }, () => random() - 0.5);
  return {
    weights: values(),
    gradient: values(),
    firstMoment: new Float32Array(parameters),
    secondMoment: new Float32Array(parameters),
    decays: true,
  };
}

const rival = await startSide<{ parameters: number }, RivalSeconds>('python3', [
  join(import.meta.dirname, 'rivals', 'torch_adamw.py'),
]);
if (!rival) console.error('The rival is missing: python3 with torch. These are our figures alone.');

const figures: Figure[] = [];
for (const million of millions) {
  const tensors = [randomTensor(million * 1e6)];
  const best = { norm: Infinity, step: Infinity, foreach: Infinity, fused: Infinity };
  // The sides take turns, so that a machine that changes its speed does not change the ratio.
  for (let round = 1; round <= rounds; round++) {
    const began = performance.now();
    const norm = globalNorm(tensors);
    const measured = performance.now();
    adamwStep(tensors, round, 1e-4, options, norm);
    best.norm = Math.min(best.norm, measured - began);
    best.step = Math.min(best.step, performance.now() - began);
    const theirs = await rival?.ask({ parameters: million * 1e6 });
    if (!theirs) continue;
    best.foreach = Math.min(best.foreach, theirs.foreachSeconds * 1000);
    best.fused = Math.min(best.fused, theirs.fusedSeconds * 1000);
  }
  const ours = { value: best.step / million, unit: 'ms/M' };
  const name = `${million} M parameters`;
  if (!rival) figures.push({ name: `${name}: step`, ...ours });
  for (const way of rival ? (['foreach', 'fused'] as const) : []) {
    const baseline = best[way] / million;
    figures.push({ name: `${name}: step, against ${way}`, ...ours, baseline, ratio: ours.value / baseline });
  }
  figures.push({ name: `${name}: the norm in it`, value: best.norm / million, unit: 'ms/M' });
}
await rival?.close();
report('optimizer', figures);
