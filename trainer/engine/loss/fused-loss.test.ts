import { expect, it } from 'vitest';
import { gradients } from '../../model/graph/gradients.ts';
import { createGraph } from '../../model/graph/operators.ts';
import { emitModel } from '../../model/onnx/emit.ts';
import { openSession } from '../../model/runtime/session.ts';
import { uniformNumbers } from '../../numbers/random.ts';
import { emptyTargets, fillTargets, lossParts, sparseCrossEntropy } from './fused-loss.ts';
import type { TrainingBatch } from './training-batch.ts';

const [tokens, vocabulary, candidates] = [5, 11, 3];
const lambda = 0.3;

/** Fused distributions that leave a tail, one that leaves none, one masked position and one without a label. */
function someBatch(): TrainingBatch {
  return {
    rows: 1,
    length: tokens,
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
  const targets = emptyTargets(tokens, candidates);
  expect(fillTargets(targets, batch, lambda)).toBe(4);

  const graph = createGraph();
  const logits = graph.input('logits', 'float32', [tokens, vocabulary]);
  const { loss, logProbabilities } = sparseCrossEntropy(
    logits,
    graph.input('ids', 'int32', [tokens, 1 + candidates]),
    graph.input('weights', 'float32', [tokens, 1 + candidates]),
    graph.input('tail', 'float32', [tokens, 1]),
  );
  const [gradient] = gradients(loss, [logits]);
  const session = await openSession(emitModel({ loss, logProbabilities, gradient }), { threads: 1 });
  const uniform = uniformNumbers(1);
  const values = Float32Array.from({ length: tokens * vocabulary }, () => 4 * uniform() - 2);
  const columns = [tokens, 1 + candidates];
  const results = await session.run({
    logits: { data: values, shape: [tokens, vocabulary] },
    ids: { data: targets.ids, shape: columns },
    weights: { data: targets.weights, shape: columns },
    tail: { data: targets.tailWeights, shape: [tokens, 1] },
  });
  await session.close();

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
  expect((results['loss'] as Float32Array)[0]).toBeCloseTo((lambda * causal + (1 - lambda) * fusion) / 4, 5);
  const computed = results['gradient'] as Float32Array;
  for (const [i, value] of right.entries()) expect(computed[i]).toBeCloseTo(value, 6);
  const parts = lossParts(results['logProbabilities'] as Float32Array, batch, 4);
  expect(parts.causalLoss).toBeCloseTo(causal / 4, 5);
  expect(parts.fusionLoss).toBeCloseTo(fusion / 4, 5);
});
