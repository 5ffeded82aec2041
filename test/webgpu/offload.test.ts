import { describe, expect, it } from 'vitest';
import type { EngineOptions, Execution } from '../../engine/engine-options.ts';
import { sharesMemory } from '../../engine/engine-snapshot.ts';
import { ModelInTraining } from '../../engine/model-in-training.ts';
import { textsAlone } from '../../engine/training-batch.ts';
import { TrainingEngine } from '../../engine/training-engine.ts';
import { createLog } from '../../process/log/log.ts';
import { startCheckpointWriter } from '../../trainer/checkpoint/checkpoint-writer.ts';
import { newestCheckpoint, readSnapshot } from '../../trainer/checkpoint/read-checkpoint.ts';
import { initialState } from '../../trainer/checkpoint/training-state.ts';
import { goldenModel, largestDifference } from '../support/golden.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { refusalOfDevice } from './software-device.ts';

const refusal = await refusalOfDevice();
const directory = goldenModel('llama-grouped-tied');
const texts = [9, 5, 12].map((length) => Int32Array.from({ length }, (_, i) => (i * 7 + length) % 50));
const batch = textsAlone(texts, 4);
const options: Omit<EngineOptions, 'execution'> = {
  contextLength: 16,
  rowsAtOnce: 1,
  candidates: 4,
  lambda: 1,
  divergence: { kind: 'ce' },
  threads: 1,
  recompute: true,
  beta1: 0.9,
  beta2: 0.95,
  weightDecay: 0.1,
  clipNorm: 1,
};

/** Losses of three steps and the weights after them; and what has crossed in the last. */
async function train(execution: Execution) {
  const model = await ModelInTraining.open(directory, { ...options, execution });
  const losses: number[] = [];
  let crossed = { toDevice: 0, fromDevice: 0 };
  for (let step = 1; step <= 3; step++) {
    const before = { ...model.crossed };
    losses.push((await model.computeGradients(batch)).loss);
    await model.optimizer.step(step, 1e-2, await model.optimizer.norm());
    crossed = {
      toDevice: model.crossed.toDevice - before.toDevice,
      fromDevice: model.crossed.fromDevice - before.fromDevice,
    };
  }
  const weights = new Map<string, Float32Array>();
  for (const { name, weights: tensor } of model.tensors.trained)
    weights.set(name, await model.memory.read(tensor));
  await model.close();
  return { losses, weights, crossed };
}

describe.skipIf(refusal)(`offload to this process's memory${refusal ? ` (${refusal})` : ''}`, () => {
  it('trains what the CPU trains, weights going up block by block and gradients coming down', async () => {
    const right = await train({ provider: 'cpu', precision: 'float32' });
    const offloaded = await train({ provider: 'webgpu', precision: 'float32', offload: true });
    expect(
      largestDifference(Float32Array.from(offloaded.losses), Float32Array.from(right.losses)),
    ).toBeLessThan(1e-4);
    for (const [name, values] of right.weights)
      expect(largestDifference(offloaded.weights.get(name)!, values), name).toBeLessThan(1e-3);
    const bytes = [...right.weights.values()].reduce((sum, values) => sum + values.byteLength, 0);
    expect(offloaded.crossed.toDevice).toBeGreaterThan(bytes);
    expect(offloaded.crossed.fromDevice).toBeGreaterThan(bytes);
  }, 120_000);

  it('writes its checkpoint from the memory that it trains on, and the CPU resumes from it', async () => {
    const execution = { provider: 'webgpu', precision: 'float32', offload: true } as const;
    const engine = await TrainingEngine.start(directory, { ...options, execution });
    const writer = startCheckpointWriter();
    const root = await temporaryDirectory();
    await engine.step(batch, 1e-2);
    const snapshot = await engine.snapshot();
    expect(sharesMemory(snapshot)).toBe(true);
    const where = { directory: root, model: directory, keep: 1 };
    await writer.write(where, { ...initialState('demo', 'ab'), step: 1 }, snapshot);
    const saved = await newestCheckpoint(root, createLog('test', { level: 'silent' }));
    const written = await readSnapshot(saved!);
    for (const [i, { name, weights, secondMoment }] of snapshot.tensors.entries()) {
      expect(written.tensors[i].name).toBe(name);
      expect([...written.tensors[i].weights]).toEqual([...weights]);
      expect([...written.tensors[i].secondMoment]).toEqual([...secondMoment]);
    }
    const { loss } = await engine.step(batch, 1e-2);
    await engine.close();
    await writer.stop();

    const cpu = { provider: 'cpu', precision: 'float32' } as const;
    const resumed = await TrainingEngine.start(directory, { ...options, execution: cpu });
    await resumed.restore(written);
    expect((await resumed.step(batch, 1e-2)).loss).toBeCloseTo(loss, 4);
    await resumed.close();
  }, 120_000);
});
