import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { weightsByName } from '../../engine/engine-snapshot.ts';
import { TrainingEngine } from '../../engine/training-engine.ts';
import { FuseMeshError } from '../../errors/fusemesh-error.ts';
import { writeModel } from '../../model/export/write-model.ts';
import { Tokenizer } from '../../model/tokenizer/tokenizer.ts';
import { learningRateAt } from '../../trainer/loop.ts';
import { scheduleOf } from '../../trainer/schedule.ts';
import { contextLength } from './families/size.ts';
import { domains, trainingPath } from './layout.ts';
import { drawBatches, type TokenStream, tokenStream } from './training-rows.ts';
import type { ZooModel } from './zoo.ts';

const rows = 8;
const peakLearningRate = 3e-3;
const warmupRatio = 0.05;
const stepsBetweenReports = 25;

/**
 * Trains a model from its random weights on the text alone (λ = 1). The seed of the model fixes which text comes
 * when.
 *
 * @param untrained directory of the model with random weights
 * @param trained directory that is written; it takes the place of an earlier one only when it is whole
 * @throws FuseMeshError cancelled when the signal stops it; what was there is as it was
 */
export async function pretrain(
  model: ZooModel,
  { untrained, trained }: { readonly untrained: string; readonly trained: string },
  signal: AbortSignal,
): Promise<void> {
  const { steps } = model;
  const tokenizer = await Tokenizer.fromFile(join(untrained, 'tokenizer.json'));
  const streams = await readStreams(tokenizer);
  const engine = await TrainingEngine.start(untrained, {
    contextLength,
    rowsAtOnce: rows,
    candidates: 1,
    divergence: { kind: 'ce' },
    lambda: 1,
    recompute: false,
    execution: { provider: 'cpu', precision: 'float32' },
    weightDecay: 0.1,
    beta1: 0.9,
    beta2: 0.95,
    clipNorm: 1,
    // Fixed, as sums in another order round otherwise.
    threads: 2,
  });
  try {
    const batches = drawBatches(streams, model.trainingMix, model.seed, { rows, length: contextLength });
    const trainer = { schedule: 'cosine', learningRate: peakLearningRate, warmupRatio } as const;
    const schedule = scheduleOf(trainer, steps);
    const started = performance.now();
    let loss = 0;
    for (let step = 1; step <= steps; step++) {
      if (signal.aborted) {
        throw new FuseMeshError('cancelled', `Stopped at step ${step} of ${model.name}: run it again.`);
      }
      const result = await engine.step(batches.next().value, learningRateAt(step, schedule));
      loss += result.causalLoss;
      if (step % stepsBetweenReports !== 0 && step !== steps) continue;
      const seconds = (performance.now() - started) / 1000;
      const left = (seconds / step) * (steps - step);
      const since = step % stepsBetweenReports || stepsBetweenReports;
      console.log(
        `${model.name}: step ${step} of ${steps}, loss ${(loss / since).toFixed(3)}, ` +
          `${Math.round((step * rows * contextLength) / seconds)} tokens/s, ${Math.ceil(left)} s left`,
      );
      loss = 0;
    }
    await writeModel(trained, untrained, weightsByName((await engine.snapshot()).tensors));
  } finally {
    await engine.close();
  }
}

async function readStreams(tokenizer: Tokenizer): Promise<Record<(typeof domains)[number], TokenStream>> {
  const [speeches, fiction, manuals] = await Promise.all(
    domains.map(async (domain) => tokenStream(await readFile(trainingPath(domain), 'utf8'), tokenizer)),
  );
  return { speeches, fiction, manuals };
}
