/** Speed and peak memory of training as parameters, context and vocabulary grow, against the memory estimate. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { estimateMemoryOf } from '../engine/memory-estimate.ts';
import { writeRandomLlama } from './random-llama.ts';
import { against, type Figure, report } from './report.ts';
import { startSide } from './side.ts';
import { engineOptions } from './training/engine-options.ts';
import { randomBatch } from './training/random-batch.ts';
import type { Request, Trained } from './training/request.ts';
import { growingLlamas, type SizedLlama } from './training/sized-llama.ts';

const threads = 2;
const candidates = 10;
const steps = 4;
const training = { lambda: 0.9, learningRate: 1e-4 };
const worker = join(import.meta.dirname, 'training', 'our-worker.ts');

/** Trains in a process of its own, so that the peak memory is this model's alone. */
async function train(directory: string, request: Request): Promise<Trained[]> {
  const parameters = ['--import', 'tsx', worker, directory, String(threads)];
  const side = await startSide<Request, Trained>(process.execPath, parameters);
  if (!side) throw new Error('the training process did not start');
  const trained: Trained[] = [];
  for (let step = 0; step < steps; step++) trained.push(await side.ask(request));
  await side.close();
  return trained;
}

async function figuresOf({ name, sizes, length, documents }: SizedLlama): Promise<Figure[]> {
  const directory = await mkdtemp(join(tmpdir(), 'fusemesh-bench-'));
  try {
    await writeRandomLlama(directory, sizes);
    const request = { ...randomBatch(documents, length, candidates, sizes.vocab_size), ...training };
    const estimate = await estimateMemoryOf(
      directory,
      engineOptions({ lengths: [length], candidates }, threads),
    );
    const trained = await train(directory, request);
    const seconds = Math.min(...trained.map((step) => step.seconds));
    const peak = Math.max(...trained.map(({ peakBytes }) => peakBytes));
    return [
      { name: `${name}: training`, value: trained[0].tokens / seconds, unit: 'tokens/s' },
      {
        name: `${name}: peak memory, against the estimate`,
        unit: 'MB',
        ...against(peak / 1e6, estimate.host.total / 1e6),
      },
    ];
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

const figures: Figure[] = [];
for (const llama of growingLlamas) figures.push(...(await figuresOf(llama)));
report('scale', figures);
