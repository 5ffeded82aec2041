import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { gradients } from '../../model/graph/gradients.ts';
import { createGraph } from '../../model/graph/operators.ts';
import { emitModel } from '../../model/onnx/emit.ts';
import { openSession } from '../../model/runtime/session.ts';
import { openSafetensors } from '../../model/safetensors/safetensors-file.ts';
import { uniformNumbers } from '../../numbers/random.ts';
import { largestDifference, readInt32 } from '../../test/support/golden.ts';
import type { TrainingBatch } from '../training-batch.ts';
import type { Divergence } from './divergences.ts';
import { fusedLoss, targetInputs } from './fused-loss.ts';
import { lossWeights, targetFeeds, targetsOf } from './targets.ts';

const lambda = 0.3;

/** Loss, its parts and its gradient, of a batch whose rows have these logits. */
async function lossOf(logits: Float32Array<ArrayBuffer>, batch: TrainingBatch, divergence: Divergence) {
  const rows = batch.labels.length;
  const vocabulary = logits.length / rows;
  const realTokens = batch.labels.filter((label) => label >= 0).length;
  const graph = createGraph();
  const input = graph.input('logits', 'float32', ['rows', vocabulary]);
  const { loss, causal, fusion } = fusedLoss(
    input,
    targetInputs(graph, { candidates: batch.candidates, divergence }),
    { divergence },
  );
  const [gradient] = gradients(loss, [input]);
  const session = await openSession(emitModel({ loss, causal, fusion, gradient }), { threads: 1 });
  const places = Int32Array.from({ length: rows }, (_, row) => row);
  const targets = targetsOf(batch, places, { weights: lossWeights(lambda), realTokens });
  const results = await session.run({
    logits: { data: logits, shape: [rows, vocabulary] },
    ...targetFeeds(targets, 0, rows),
  });
  await session.close();
  const mean = (name: string, marks: Uint8Array) =>
    marks.reduce((sum, mark, row) => sum + mark * (results[name][row] as number), 0) / realTokens;
  return {
    loss: results['loss'][0] as number,
    causal: mean('causal', targets.isReal),
    fusion: mean('fusion', targets.isTaught),
    gradient: results['gradient'] as Float32Array,
  };
}

describe('agrees with PyTorch in float64', () => {
  const cases: readonly (readonly [string, (betas: Float32Array) => Divergence])[] = [
    ['ce', () => ({ kind: 'ce' })],
    ['reverse_kl', () => ({ kind: 'reverseKL' })],
    ['jsd:0', (betas) => ({ kind: 'jsd', beta: betas[0] })],
    ['jsd:1', (betas) => ({ kind: 'jsd', beta: betas[1] })],
  ];

  it.each(cases)('%s', async (name, kind) => {
    const file = await openSafetensors(
      join(import.meta.dirname, '../../test/golden-losses/losses.safetensors'),
    );
    const [tokens, candidates] = file.tensors.get('fused_ids')!.shape;
    const tail = await file.readFloat32('fused_tail');
    const batch: TrainingBatch = {
      lengths: [tokens],
      candidates,
      inputIds: new Int32Array(tokens),
      labels: await readInt32(file, 'labels'),
      fusedIds: await readInt32(file, 'fused_ids'),
      fusedProbabilities: await file.readFloat32('fused_probabilities'),
      // FuseLLM's cross-entropy knows no tail.
      fusedTail: name === 'ce' ? tail.fill(0) : tail,
    };
    const { loss, causal, fusion, gradient } = await lossOf(
      await file.readFloat32('logits'),
      batch,
      kind(await file.readFloat32('betas')),
    );
    expect(largestDifference([loss], await file.readFloat32(`value:${name}`))).toBeLessThan(2e-5);
    expect(largestDifference([causal, fusion], await file.readFloat32(`parts:${name}`))).toBeLessThan(2e-5);
    expect(largestDifference(gradient, await file.readFloat32(`gradient:${name}`))).toBeLessThan(2e-6);
    await file.close();
  });
});

it('agrees with PyTorch in float64 on the policy gradient, and with finite differences', async () => {
  const file = await openSafetensors(
    join(import.meta.dirname, '../../test/golden-losses/losses.safetensors'),
  );
  const labels = await readInt32(file, 'labels');
  const fusedProbabilities = await file.readFloat32('drawn_probabilities');
  const batch: TrainingBatch = {
    lengths: [labels.length],
    candidates: 1,
    inputIds: new Int32Array(labels.length),
    labels,
    fusedIds: labels.map((label) => Math.max(0, label)),
    fusedProbabilities,
    fusedTail: fusedProbabilities.map((probability) => (probability > 0 ? 1 - probability : 0)),
  };
  const logits = await file.readFloat32('logits');
  const { loss, causal, fusion, gradient } = await lossOf(logits, batch, { kind: 'policyGradient' });
  const [name, part] = ['value:policy_gradient', 'parts:policy_gradient'];
  expect(largestDifference([loss], await file.readFloat32(name))).toBeLessThan(2e-5);
  expect(largestDifference([causal, fusion], await file.readFloat32(part))).toBeLessThan(2e-5);
  const right = await file.readFloat32('gradient:policy_gradient');
  expect(largestDifference(gradient, right)).toBeLessThan(2e-6);

  // The same by ½ (log q − log p)² at nearby logits, in float64.
  const width = logits.length / labels.length;
  const real = labels.filter((label) => label >= 0).length;
  const lossNear = (row: number, at: number, change: number) => {
    const z = Array.from(logits.subarray(row * width, (row + 1) * width));
    z[at] += change;
    const logQ = z[labels[row]] - Math.log(z.reduce((sum, value) => sum + Math.exp(value), 0));
    const p = fusedProbabilities[row];
    const judged = p > 0 ? (logQ - Math.log(Math.max(p, 1e-6))) ** 2 / 2 : 0;
    return (lambda * -logQ + (1 - lambda) * judged) / real;
  };
  for (const row of [0, 1, 3, 6]) {
    if (labels[row] < 0) continue;
    for (let at = 0; at < width; at++) {
      const slope = (lossNear(row, at, 1e-5) - lossNear(row, at, -1e-5)) / 2e-5;
      expect(gradient[row * width + at]).toBeCloseTo(slope, 5);
    }
  }
  await file.close();
});

const [tokens, vocabulary, candidates] = [5, 11, 3];

/** Fused distributions that leave a tail, one that leaves none, one masked position and one without a label. */
function someBatch(): TrainingBatch {
  return {
    lengths: [tokens],
    candidates,
    inputIds: new Int32Array(tokens),
    labels: Int32Array.of(4, 7, 0, 2, -1),
    fusedIds: Int32Array.of(4, 1, 9, 3, 8, 0, 5, 6, 10, 0, 0, 0, 1, 2, 3),
    fusedProbabilities: Float32Array.of(0.4, 0.2, 0.1, 0.5, 0.1, 0, 0.2, 0.3, 0.5, 0, 0, 0, 0.3, 0.3, 0.3),
    fusedTail: Float32Array.of(0.3, 0.4, 0, 0, 0.1),
  };
}

it('takes what is left to the target as the target has it: loss and gradient of the dense formula', async () => {
  const batch = someBatch();
  const uniform = uniformNumbers(1);
  const values = Float32Array.from({ length: tokens * vocabulary }, () => 4 * uniform() - 2);
  const result = await lossOf(values, batch, { kind: 'ce' });

  // Dense: P has the tail spread as softmax(logits) is over the other tokens; d CE(P, Q) / d logits = Q − P.
  let [causal, fusion] = [0, 0];
  const right = new Float32Array(tokens * vocabulary);
  for (let t = 0; t < tokens; t++) {
    const label = batch.labels[t];
    if (label < 0) continue;
    const row = [...values.subarray(t * vocabulary, (t + 1) * vocabulary)].map(Math.exp);
    const sum = row.reduce((a, b) => a + b);
    const q = row.map((value) => value / sum);
    const p = new Map<number, number>();
    for (let j = t * candidates; j < (t + 1) * candidates; j++)
      if (batch.fusedProbabilities[j] > 0) p.set(batch.fusedIds[j], batch.fusedProbabilities[j]);
    const left = q.reduce((mass, value, id) => (p.has(id) ? mass : mass + value), 0);
    const tail = batch.fusedTail[t];
    causal -= Math.log(q[label]);
    for (const [id, probability] of p) fusion -= probability * Math.log(q[id]);
    fusion -= tail * Math.log(left);
    const fusedMass = p.size === 0 ? 0 : 1;
    for (let id = 0; id < vocabulary; id++) {
      const target = p.get(id) ?? (tail * q[id]) / left;
      const toFused = fusedMass * q[id] - (fusedMass === 0 ? 0 : target);
      const toCausal = q[id] - Number(id === label);
      right[t * vocabulary + id] = (lambda * toCausal + (1 - lambda) * toFused) / 4;
    }
  }
  expect(result.loss).toBeCloseTo((lambda * causal + (1 - lambda) * fusion) / 4, 5);
  for (const [i, value] of right.entries()) expect(result.gradient[i]).toBeCloseTo(value, 6);
  expect(result.causal).toBeCloseTo(causal / 4, 5);
  expect(result.fusion).toBeCloseTo(fusion / 4, 5);
});
