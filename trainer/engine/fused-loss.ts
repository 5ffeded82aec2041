import {
  add,
  exp,
  gatherElements,
  greaterOrEqual,
  log,
  logSoftmax,
  mul,
  neg,
  scatterAddElements,
  slice,
  sub,
  sum,
  sumAll,
  where,
  withGradient,
} from '../../model/graph/expressions.ts';
import type { Value } from '../../model/graph/graph.ts';
import type { StepResult, TrainingBatch } from './training-batch.ts';

/**
 * λ·CLM + (1 − λ)·fusion (FuseLLM, equation 5) as one cross-entropy with a sparse target: column 0 holds the
 * label with weight λ, the others the fused distribution with weight 1 − λ, all divided by the number of
 * real tokens. What the fused distribution leaves to the rest of the vocabulary stands in one number a token.
 * A [tokens × vocabulary] target is never built.
 */
export interface SparseTargets {
  /** [tokens × (1 + candidates)] token ids. */
  readonly ids: Int32Array<ArrayBuffer>;
  /** [tokens × (1 + candidates)] weights; zeros where nothing is to be learnt. */
  readonly weights: Float32Array<ArrayBuffer>;
  /** [tokens × 1] weight of all tokens that are not in the fused distribution, taken together. */
  readonly tailWeights: Float32Array<ArrayBuffer>;
}

/** Buffers for so many tokens. */
export const emptyTargets = (tokens: number, candidates: number): SparseTargets => ({
  ids: new Int32Array(tokens * (1 + candidates)),
  weights: new Float32Array(tokens * (1 + candidates)),
  tailWeights: new Float32Array(tokens),
});

/** What no weight of a used column is below, and a float32. */
const LEAST_WEIGHT = 1e-37;

/** Least probability of a tail, so that its logarithm is finite. */
const LEAST_TAIL = 1e-6;

/**
 * Loss = −Σ weights · log softmax(logits)[ids] − Σ tailWeights · log(1 − Σ softmax(logits)[fused ids]).
 *
 * The second part takes all other tokens as one: its gradient moves mass between the fused tokens and the
 * others, and leaves the others among themselves as the target has them.
 *
 * @param logits [tokens, vocabulary]
 * @param ids int32 [tokens, 1 + candidates]
 * @param weights float32 of the same shape
 * @param tailWeights float32 [tokens, 1]
 * @returns the loss, and the log-probabilities at the ids, from which its parts can be told
 */
export function sparseCrossEntropy(
  logits: Value,
  ids: Value,
  weights: Value,
  tailWeights: Value,
): { loss: Value; logProbabilities: Value } {
  const all = logSoftmax(logits);
  // z ↦ log softmax(z)[ids]: dz = scatter(g) − softmax(z)·Σ g. One pass over the vocabulary, where the rules
  // of the parts would take three.
  const picked = withGradient(gatherElements(all, ids), [logits], (g) => [
    scatterAddElements(mul(exp(all), neg(sum(g, [-1], { keepAxes: true }))), ids, g),
  ]);
  const columns = ids.shape[1] as number;
  const fused = (x: Value) => slice(x, 1, 1, columns);
  // Unused columns hold id 0 and weight 0.
  const isUsed = greaterOrEqual(fused(weights), LEAST_WEIGHT);
  const covered = sum(where(isUsed, exp(fused(picked)), 0), [-1], { keepAxes: true });
  const left = sub(1, covered);
  const tail = log(where(greaterOrEqual(left, LEAST_TAIL), left, LEAST_TAIL));
  const loss = neg(add(sumAll(mul(weights, picked)), sumAll(mul(tailWeights, tail))));
  return { loss, logProbabilities: picked };
}

/** Writes a batch's targets into `targets` and returns how many real tokens it has. */
export function fillTargets(targets: SparseTargets, batch: TrainingBatch, lambda: number): number {
  const { candidates, labels, fusedIds, fusedProbabilities, fusedTail } = batch;
  const { ids, weights, tailWeights } = targets;
  const columns = candidates + 1;
  let tokens = 0;
  for (let t = 0; t < labels.length; t++) if (labels[t] >= 0) tokens++;
  const perToken = 1 / Math.max(1, tokens);
  for (let t = 0; t < labels.length; t++) {
    const real = labels[t] >= 0;
    const row = t * columns;
    ids[row] = real ? labels[t] : 0;
    weights[row] = real ? lambda * perToken : 0;
    tailWeights[t] = real ? (1 - lambda) * perToken * fusedTail[t] : 0;
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
  const { candidates, labels, fusedProbabilities, fusedTail } = batch;
  const columns = candidates + 1;
  let causal = 0;
  let fusion = 0;
  for (let t = 0; t < labels.length; t++) {
    if (labels[t] < 0) continue;
    const row = t * columns;
    causal -= logProbabilities[row];
    let left = 1;
    for (let j = 0; j < candidates; j++) {
      const probability = fusedProbabilities[t * candidates + j];
      if (probability === 0) continue;
      fusion -= probability * logProbabilities[row + 1 + j];
      left -= Math.exp(logProbabilities[row + 1 + j]);
    }
    if (fusedTail[t] > 0) fusion -= fusedTail[t] * Math.log(Math.max(left, LEAST_TAIL));
  }
  const perToken = 1 / Math.max(1, tokens);
  return { causalLoss: causal * perToken, fusionLoss: fusion * perToken };
}
