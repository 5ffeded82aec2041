import {
  exp,
  gatherElements,
  logSoftmax,
  mul,
  neg,
  scatterAddElements,
  sum,
  sumAll,
  withGradient,
} from '../../model/graph/expressions.ts';
import type { Value } from '../../model/graph/graph.ts';
import type { StepResult, TrainingBatch } from './training-batch.ts';

/**
 * λ·CLM + (1 − λ)·fusion (FuseLLM, equation 5) as one cross-entropy with a sparse target: column 0 holds the
 * label with weight λ, the others the fused distribution with weight 1 − λ, all divided by the number of
 * real tokens. A [tokens × vocabulary] target is never built.
 */
export interface SparseTargets {
  /** [tokens × (1 + candidates)] token ids. */
  readonly ids: Int32Array<ArrayBuffer>;
  /** [tokens × (1 + candidates)] weights; zeros where nothing is to be learnt. */
  readonly weights: Float32Array<ArrayBuffer>;
}

/**
 * Loss = −Σ weights · log softmax(logits)[ids].
 *
 * @param logits [tokens, vocabulary]
 * @param ids int32 [tokens, 1 + candidates]
 * @param weights float32 of the same shape
 * @returns the loss, and the log-probabilities at the ids, from which its parts can be told
 */
export function sparseCrossEntropy(
  logits: Value,
  ids: Value,
  weights: Value,
): { loss: Value; logProbabilities: Value } {
  const all = logSoftmax(logits);
  // z ↦ log softmax(z)[ids]: dz = scatter(g) − softmax(z)·Σ g. One pass over the vocabulary, where the rules
  // of the parts would take three.
  const picked = withGradient(gatherElements(all, ids), [logits], (g) => [
    scatterAddElements(mul(exp(all), neg(sum(g, [-1], { keepAxes: true }))), ids, g),
  ]);
  return { loss: neg(sumAll(mul(weights, picked))), logProbabilities: picked };
}

/** Writes a batch's targets into `targets` and returns how many real tokens it has. */
export function fillTargets(targets: SparseTargets, batch: TrainingBatch, lambda: number): number {
  const { candidates, labels, fusedIds, fusedProbabilities } = batch;
  const { ids, weights } = targets;
  const columns = candidates + 1;
  let tokens = 0;
  for (let t = 0; t < labels.length; t++) if (labels[t] >= 0) tokens++;
  const perToken = 1 / Math.max(1, tokens);
  for (let t = 0; t < labels.length; t++) {
    const real = labels[t] >= 0;
    const row = t * columns;
    ids[row] = real ? labels[t] : 0;
    weights[row] = real ? lambda * perToken : 0;
    for (let j = 0; j < candidates; j++) {
      ids[row + 1 + j] = fusedIds[t * candidates + j];
      weights[row + 1 + j] = real ? (1 - lambda) * perToken * fusedProbabilities[t * candidates + j] : 0;
    }
  }
  return tokens;
}

/** The parts of the loss, in nats a real token, from the log-probabilities at the targets' ids. */
export function lossParts(
  logProbabilities: Float32Array,
  batch: TrainingBatch,
  tokens: number,
): Pick<StepResult, 'causalLoss' | 'fusionLoss'> {
  const { candidates, labels, fusedProbabilities } = batch;
  const columns = candidates + 1;
  let causal = 0;
  let fusion = 0;
  for (let t = 0; t < labels.length; t++) {
    if (labels[t] < 0) continue;
    const row = t * columns;
    causal -= logProbabilities[row];
    for (let j = 0; j < candidates; j++) {
      const probability = fusedProbabilities[t * candidates + j];
      if (probability > 0) fusion -= probability * logProbabilities[row + 1 + j];
    }
  }
  const perToken = 1 / Math.max(1, tokens);
  return { causalLoss: causal * perToken, fusionLoss: fusion * perToken };
}
