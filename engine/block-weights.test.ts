import { describe, expect, it } from 'vitest';
import { readArchitecture } from '../model/families/read-architecture.ts';
import { processMemory } from '../model/runtime/memory.ts';
import { arrayIn, type HostTensor } from '../model/runtime/tensor.ts';
import { fromBfloat16, toBfloat16 } from '../numbers/bfloat16.ts';
import { fromFloat16, toFloat16 } from '../numbers/float16.ts';
import { optionsFor } from '../test/support/engine-options.ts';
import { goldenModel, goldenModels } from '../test/support/golden.ts';
import { randomBatch } from '../test/support/random-batch.ts';
import { gradientsOf } from '../test/support/training-gradients.ts';
import { BlockWeights } from './block-weights.ts';
import type { EngineOptions } from './engine-options.ts';
import { trainingGraphs } from './graphs/training-graphs.ts';
import { ModelInTraining } from './model-in-training.ts';
import { trainedPart } from './trained-part.ts';

const directory = goldenModel('llama-grouped-tied');
const batch = randomBatch([20, 3, 11, 1, 7, 9, 2, 20]);
const options = { ...optionsFor(batch), contextLength: 20, rowsAtOnce: 2, recompute: true };
/** With the largest difference of a gradient that rounding explains: bfloat16 has three bits less. */
const halves = [
  ['bfloat16', 0.032],
  ['float16', 0.004],
] as const;

/** Every trained tensor after some steps. */
async function trained(execution: Partial<EngineOptions['execution']>, changes: Partial<EngineOptions> = {}) {
  const all = { ...options, ...changes, execution: { ...options.execution, ...execution } };
  const model = await ModelInTraining.open(directory, all);
  for (let step = 1; step <= 3; step++) {
    await model.computeGradients(batch);
    await model.optimizer.step(step, 1e-2, await model.optimizer.norm());
  }
  const weights = model.tensors.trained.map(({ name, weights }) => [name, arrayIn(weights).slice()] as const);
  await model.close();
  return new Map(weights);
}

// The processor has no memory but its own: there, offloading shows that the graphs take such weights, and right ones.
describe.each(halves)('offloaded weights go up in %s', (precision, largest) => {
  it('and give the gradients of float32 but for rounding', async () => {
    const right = await gradientsOf(directory, options, batch);
    const execution = { provider: 'cpu', precision, offload: true } as const;
    const rounded = await gradientsOf(directory, { ...options, execution }, batch);
    expect(rounded.losses.causalLoss).toBeCloseTo(right.losses.causalLoss, 2);
    for (const [name, gradient] of right.gradients) {
      const scale = Math.hypot(...gradient);
      const difference = Math.hypot(...gradient.map((value, i) => value - rounded.gradients.get(name)![i]));
      expect(difference / scale, name).toBeLessThan(largest);
      expect(difference, name).toBeGreaterThan(0);
    }
  });

  it('and train, to the bit, what weights that are rounded for each product train', async () => {
    expect(await trained({ precision, offload: true })).toEqual(await trained({ precision }));
  });

  it('so do adapters, of some blocks alone, and the frozen weights beside them', async () => {
    const lora = { rank: 2, alpha: 4, targetModules: '.*layers\\.1\\..*(q_proj|down_proj)' };
    const offloaded = await trained({ precision, offload: true }, { lora });
    expect([...offloaded.keys()].length).toBe(4);
    expect(offloaded).toEqual(await trained({ precision }, { lora }));
  });
});

it.each(goldenModels())('every matrix of a block is a factor of products alone: %s', async (golden) => {
  const architecture = await readArchitecture(golden);
  const graphs = trainingGraphs(architecture, trainedPart(architecture, undefined), options);
  const [{ tensors, factors }] = graphs.kinds;
  const matrices = tensors.filter((name) => {
    const inModel = name.replace('(block)', architecture.blockPath(0));
    return architecture.weights.get(inModel)!.length === 2;
  });
  expect([...factors].sort()).toEqual(matrices.sort());
});

it.each([
  ['bfloat16', toBfloat16, fromBfloat16],
  ['float16', toFloat16, fromFloat16],
] as const)(
  'rounds to %s to the nearest, once a step, and what a step does not change but once',
  async (precision, narrow, widen) => {
    const values = (first: number) => Float32Array.of(first, 1 + 2 ** -9, 1 + 3 * 2 ** -9, -0, 1e-6, 70_000);
    const [matrix, frozen, norm] = [values(0.1), values(0.2), values(0.3)];
    const weights = new Map(
      Object.entries({ matrix, frozen, norm }).map(([name, data]) => [name, { data, shape: [2, 3] }]),
    );
    const block = { weights, factors: new Set(['matrix', 'frozen']), trained: new Set(['matrix', 'norm']) };
    const blocks = await BlockWeights.open(processMemory, [block], { precision, threads: 1 });
    const bitsOf = async (name: string) => ((await blocks.take(0, undefined))[name] as HostTensor).data;
    expect(await bitsOf('matrix')).toEqual(narrow(matrix));
    expect(await bitsOf('frozen')).toEqual(narrow(frozen));
    expect(await bitsOf('norm')).toEqual(norm);
    const [before, frozenBefore] = [narrow(matrix), narrow(frozen)];
    for (const array of [matrix, frozen, norm]) array.fill(7);
    expect(await bitsOf('matrix')).toEqual(before);
    blocks.forget();
    expect(widen((await bitsOf('matrix')) as Uint16Array)).toEqual(matrix);
    expect(await bitsOf('norm')).toEqual(norm);
    expect(await bitsOf('frozen')).toEqual(frozenBefore);
    await blocks.close();
  },
);
