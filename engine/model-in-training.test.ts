import { existsSync } from 'node:fs';
import { cp, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { Scorer } from '../model/scoring/scorer.ts';
import { optionsFor } from '../test/support/engine-options.ts';
import { goldenModel, largestDifference } from '../test/support/golden.ts';
import { candidates, randomBatch } from '../test/support/random-batch.ts';
import { temporaryDirectory } from '../test/support/temporary-directory.ts';
import { gradientsOf } from '../test/support/training-gradients.ts';
import { ModelInTraining } from './model-in-training.ts';
import type { TrainingBatch } from './training-batch.ts';

const families = ['llama-grouped-tied', 'qwen3-wide', 'mpt-clipped', 'gpt2-tied', 'gpt_neox-parallel'];
const lengths = [20, 3, 11, 1, 7, 9, 2, 20];

/** Document i of a batch alone. */
function documentOf(batch: TrainingBatch, i: number): TrainingBatch {
  const begin = batch.lengths.slice(0, i).reduce((sum, length) => sum + length, 0);
  const end = begin + batch.lengths[i];
  return {
    lengths: [batch.lengths[i]],
    candidates,
    inputIds: batch.inputIds.slice(begin, end),
    labels: batch.labels.slice(begin, end),
    fusedIds: batch.fusedIds.slice(begin * candidates, end * candidates),
    fusedProbabilities: batch.fusedProbabilities.slice(begin * candidates, end * candidates),
    fusedTail: batch.fusedTail.slice(begin, end),
  };
}

type Gradients = ReadonlyMap<string, Float32Array>;

/** Largest difference in parts of the largest gradient of the tensor. */
function expectEqual(actual: Gradients, right: Gradients, tolerance = 2e-5): void {
  for (const [name, values] of right) {
    const scale = values.reduce((largest, value) => Math.max(largest, Math.abs(value)), 1e-6);
    const other = actual.get(name)!;
    const error = values.reduce((most, value, i) => Math.max(most, Math.abs(value - other[i])), 0);
    expect(error / scale, name).toBeLessThan(tolerance);
  }
}

describe('documents that are computed together do not see each other', () => {
  it.each(families)('%s: losses and gradients are the sums of those of each alone', async (family) => {
    const directory = goldenModel(family);
    const batch = randomBatch(lengths);
    const options = { ...optionsFor(batch), contextLength: 20 };
    const tokens = batch.labels.filter((label) => label >= 0).length;
    const sums = new Map<string, Float32Array>();
    let [causal, fusion] = [0, 0];
    for (const i of lengths.keys()) {
      const { losses, gradients } = await gradientsOf(directory, options, documentOf(batch, i));
      causal += (losses.causalLoss * losses.tokens) / tokens;
      fusion += (losses.fusionLoss * losses.tokens) / tokens;
      for (const [name, gradient] of gradients) {
        const sum = sums.get(name) ?? new Float32Array(gradient.length);
        sums.set(name, sum);
        for (let k = 0; k < gradient.length; k++) sum[k] += (gradient[k] * losses.tokens) / tokens;
      }
    }
    const together = await gradientsOf(directory, options, batch);
    expect(together.losses.causalLoss).toBeCloseTo(causal, 5);
    expect(together.losses.fusionLoss).toBeCloseTo(fusion, 5);
    expectEqual(together.gradients, sums);
  });
});

/** A golden model for longer texts: its weights are for any context. */
async function ofLongContext(family: string): Promise<string> {
  const directory = await temporaryDirectory();
  await cp(goldenModel(family), directory, { recursive: true });
  const path = join(directory, 'config.json');
  const config = JSON.parse(await readFile(path, 'utf8')) as Record<string, unknown>;
  await writeFile(path, JSON.stringify({ ...config, max_position_embeddings: 1024, max_seq_len: 1024 }));
  return directory;
}

describe('attention in parts, from 513 tokens on', () => {
  // They fill seven rows in the same way in contexts of 512 and 513 tokens.
  const batch = randomBatch([512, 300, 512, 1, 511, 212, 400, 500, 112, 512]);
  const options = { ...optionsFor(batch), contextLength: 512 };

  it.each(families.filter((family) => !family.startsWith('gpt2')))(
    '%s: losses and gradients are those of attention as a whole',
    async (family) => {
      const directory = await ofLongContext(family);
      const whole = await gradientsOf(directory, options, batch);
      const parts = await gradientsOf(directory, { ...options, contextLength: 513 }, batch);
      expect(parts.losses.causalLoss).toBeCloseTo(whole.losses.causalLoss, 5);
      expectEqual(parts.gradients, whole.gradients, 1e-4);
    },
  );

  it('rounds its products to 16 bits where all are', async () => {
    const directory = await ofLongContext('llama-grouped-tied');
    const half = { ...options, execution: { provider: 'cpu', precision: 'float16' } as const };
    const whole = await gradientsOf(directory, half, batch);
    const parts = await gradientsOf(directory, { ...half, contextLength: 513 }, batch);
    expect(parts.losses.causalLoss).toBeCloseTo(whole.losses.causalLoss, 4);
    expectEqual(parts.gradients, whole.gradients, 1e-2);
  });
});

describe('a step gives the same gradient', () => {
  it.each(families)('%s: in parts, and with blocks computed again in the backward pass', async (family) => {
    const directory = goldenModel(family);
    const batch = randomBatch(lengths);
    const options = { ...optionsFor(batch), contextLength: 20 };
    const whole = await gradientsOf(directory, options, batch);
    const inParts = await gradientsOf(directory, { ...options, rowsAtOnce: 1 }, batch);
    expectEqual(inParts.gradients, whole.gradients);
    expect(inParts.losses.causalLoss).toBeCloseTo(whole.losses.causalLoss, 6);

    const again = await gradientsOf(directory, { ...options, recompute: true }, batch);
    expect(again).toEqual(whole);
  });
});

it('says of texts what the scorer says, and leaves weights and gradients as they are', async () => {
  const directory = join(import.meta.dirname, '..', 'examples', 'zoo', 'target');
  const texts = ['Fellow citizens of the Senate', 'It was', 'the best of times, it was the worst of times'];
  const scorer = await Scorer.load(directory, { topK: 1, threads: 1 });
  const scored = await scorer.score(texts);
  await scorer.close();
  const ids = scored.map(({ tokenIds }) => tokenIds);
  const options = { ...optionsFor(randomBatch([32])), rowsAtOnce: 1 };
  const model = await ModelInTraining.open(directory, options);
  const crossEntropies = await model.crossEntropies(ids);
  for (const [i, { tokenLogProbabilities }] of scored.entries())
    expect(
      largestDifference(
        crossEntropies[i],
        tokenLogProbabilities.map((value) => -value),
      ),
    ).toBeLessThan(1e-3);
  for (const { gradient } of model.tensors.trained)
    expect((await model.memory.read(gradient)).every((value) => value === 0)).toBe(true);
  await model.close();
});

describe('16 bits', () => {
  it.each([
    // ONNX Runtime's processor kernels compute such products in float32, on operands rounded to float16.
    ['products in float16', { provider: 'cpu', precision: 'float16' }],
    ['activations in bfloat16', { provider: 'cpu', precision: 'float32', activations: 'bfloat16' }],
  ] as const)('%s give the gradients of float32 but for rounding', async (_, execution) => {
    const batch = randomBatch(lengths);
    const options = { ...optionsFor(batch), contextLength: 20 };
    const half = { ...options, execution };
    const directory = goldenModel('llama-grouped-tied');
    const right = await gradientsOf(directory, options, batch);
    const rounded = await gradientsOf(directory, half, batch);
    expect(rounded.losses.causalLoss).toBeCloseTo(right.losses.causalLoss, 2);
    for (const [name, gradient] of right.gradients) {
      const scale = Math.hypot(...gradient);
      const difference = Math.hypot(...gradient.map((value, i) => value - rounded.gradients.get(name)![i]));
      expect(difference / scale, name).toBeLessThan(0.02);
      expect(difference, name).toBeGreaterThan(0);
    }
  });

  it.skipIf(existsSync('/dev/nvidiactl'))('are refused in one line where there is no CUDA', async () => {
    const options = optionsFor(randomBatch(lengths));
    const cuda = { ...options, execution: { provider: 'cuda', precision: 'bfloat16' } as const };
    const opened = ModelInTraining.open(goldenModel('llama-grouped-tied'), cuda);
    await expect(opened).rejects.toThrow(
      /cannot compute on a GPU here .*run "npm run cuda", or use execution: cpu/,
    );
  });
});
