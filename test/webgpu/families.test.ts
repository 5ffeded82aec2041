import { basename } from 'node:path';
import { describe, expect, it } from 'vitest';
import { fusedLoss } from '../../engine/loss/fused-loss.ts';
import { lossWeights, targetFeeds, targetsOf } from '../../engine/loss/targets.ts';
import type { SizesOfParts } from '../../model/families/attention-scope.ts';
import { gradients } from '../../model/graph/gradients.ts';
import { emitModel } from '../../model/onnx/emit.ts';
import { openSession } from '../../model/runtime/session.ts';
import { goldenModels, largestDifference, readBatch } from '../support/golden.ts';
import { wholeModel } from '../support/whole-model.ts';
import { refusalOfDevice } from './software-device.ts';

const refusal = await refusalOfDevice();
/** Of the loss, as PyTorch computed it (test/oracle/families.py). */
const lambda = 0.9;

const inParts: readonly string[] = ['llama-grouped-tied', 'mpt-clipped', 'gemma2-alternating'];
const cases = goldenModels().flatMap((directory) => {
  const name = basename(directory);
  const whole = { name, directory, parts: undefined };
  const parts = { scoreBytes: 1, fewestQueries: 1, count: 3 };
  return inParts.includes(name)
    ? [whole, { name: `${name}, attention in parts`, directory, parts }]
    : [whole];
});

/** The whole model with its loss and all gradients in one graph, and what it is fed. */
async function withGradients(directory: string, parts: SizesOfParts | undefined) {
  const { logits, tensors, feeds, expected } = await wholeModel(directory, parts);
  const { graph } = logits;
  const batch = await readBatch(expected);
  const { candidates } = batch;
  const [rows] = logits.shape;
  const column = (name: string) => graph.input(name, 'float32', [rows, 1]);
  const { loss } = fusedLoss(
    logits,
    {
      ids: graph.input('target_ids', 'int32', [rows, 1 + candidates]),
      labelWeights: column('label_weights'),
      fusionWeights: column('fusion_weights'),
      fusedProbabilities: graph.input('fused_probabilities', 'float32', [rows, candidates]),
      fusedTail: column('fused_tail'),
      isRollout: undefined,
    },
    { divergence: { kind: 'ce' } },
  );
  const names = [...tensors.keys()];
  const computed = gradients(loss, [...tensors.values()]);
  const places = Int32Array.from(batch.labels, (_, place) => place);
  const realTokens = batch.labels.filter((label) => label >= 0).length;
  const targets = targetsOf(batch, places, { weights: lossWeights(lambda), realTokens });
  return {
    outputs: { logits, ...Object.fromEntries(names.map((name, i) => [`gradient:${name}`, computed[i]])) },
    feeds: { ...feeds, ...targetFeeds(targets, 0, places.length) },
    expected,
  };
}

describe.skipIf(refusal)(`families on a device${refusal ? ` (${refusal})` : ''}`, () => {
  it.each(cases)("$name: PyTorch's logits and gradients", async ({ directory, parts }) => {
    const { outputs, feeds, expected } = await withGradients(directory, parts);
    const model = emitModel(outputs, { dialect: 'webgpu' });
    const session = await openSession(model, { threads: 1, provider: 'webgpu' });
    const results = await session.run(feeds);
    await session.close();
    const errorOf = async (name: string) =>
      largestDifference(results[name] as Float32Array, await expected.readFloat32(name));

    expect(await errorOf('logits')).toBeLessThan(2e-4);
    for (const name of Object.keys(outputs).filter((name) => name !== 'logits')) {
      const right = await expected.readFloat32(name);
      const scale = right.reduce((largest, value) => Math.max(largest, Math.abs(value)), 0);
      expect((await errorOf(name)) / scale, name).toBeLessThan(1e-3);
    }
    await expected.close();
  });
});
