import type { HostTensor } from '../../model/runtime/tensor.ts';
import type { TrainingBatch } from '../training-batch.ts';

/** The targets of N rows, as {@link TargetInputs} takes them. */
export interface Targets {
  /** [N × (1 + K)] */
  readonly ids: Int32Array<ArrayBuffer>;
  /** [N] */
  readonly labelWeights: Float32Array<ArrayBuffer>;
  /** [N] */
  readonly fusionWeights: Float32Array<ArrayBuffer>;
  /** [N × K] */
  readonly fusedProbabilities: Float32Array<ArrayBuffer>;
  /** [N] */
  readonly fusedTail: Float32Array<ArrayBuffer>;
  /** [N] 1 in a text that the model wrote itself; undefined where that has no divergence of its own. */
  readonly isRollout: Float32Array<ArrayBuffer> | undefined;
  /** [N] 1 where there is a label, in a text that the model did not write itself. */
  readonly isReal: Uint8Array;
  /** [N] 1 where there is a fused distribution too. */
  readonly isTaught: Uint8Array;
  /** [N] 1 where there are both, in a text that the model wrote itself. */
  readonly isJudged: Uint8Array;
}

/** How much the two losses count: λ and 1 − λ (FuseLLM, equation 5). */
export interface LossWeights {
  readonly causal: number;
  readonly fusion: number;
}

/** The only place that knows what λ means. */
export const lossWeights = (lambda: number): LossWeights => ({ causal: lambda, fusion: 1 - lambda });

/**
 * What a model wrote itself has nothing to teach it: there the divergence alone counts, as in GKD (Agarwal et al. 2023,
 * arXiv 2306.13649, algorithm 1). GKD's own λ is the share of such documents, onPolicy.share.
 */
export const rolloutWeights: LossWeights = { causal: 0, fusion: 1 };

/**
 * @param places of the rows in the batch; −1 for a row without a target
 * @param weights of the corpus's documents; of what the model wrote itself, {@link rolloutWeights} count
 * @param marked whether what the model wrote itself has a divergence of its own
 * @param realTokens of the whole step, over which the loss is a mean: each counts the same, whoever wrote its text
 */
export function targetsOf(
  batch: TrainingBatch,
  places: Int32Array,
  {
    weights,
    marked = false,
    realTokens,
  }: { readonly weights: LossWeights; readonly marked?: boolean; readonly realTokens: number },
): Targets {
  const { candidates, labels, fusedIds, fusedProbabilities, fusedTail } = batch;
  const count = places.length;
  const targets: Targets = {
    ids: new Int32Array(count * (1 + candidates)),
    labelWeights: new Float32Array(count),
    fusionWeights: new Float32Array(count),
    fusedProbabilities: new Float32Array(count * candidates),
    fusedTail: new Float32Array(count),
    isRollout: marked ? new Float32Array(count) : undefined,
    isReal: new Uint8Array(count),
    isTaught: new Uint8Array(count),
    isJudged: new Uint8Array(count),
  };
  for (let row = 0; row < count; row++) {
    const place = places[row];
    if (place < 0 || labels[place] < 0) continue;
    const [first, end] = [place * candidates, (place + 1) * candidates];
    targets.ids[row * (1 + candidates)] = labels[place];
    targets.ids.set(fusedIds.subarray(first, end), row * (1 + candidates) + 1);
    const isRollout = batch.isRollout?.[place] === 1;
    const { causal, fusion } = isRollout ? rolloutWeights : weights;
    if (!isRollout) targets.isReal[row] = 1;
    else if (targets.isRollout) targets.isRollout[row] = 1;
    targets.labelWeights[row] = causal / realTokens;
    targets.fusedProbabilities.set(fusedProbabilities.subarray(first, end), row * candidates);
    targets.fusedTail[row] = fusedTail[place];
    let taught = fusedTail[place] > 0;
    for (let j = first; j < end && !taught; j++) taught = fusedProbabilities[j] > 0;
    if (!taught) continue;
    (isRollout ? targets.isJudged : targets.isTaught)[row] = 1;
    targets.fusionWeights[row] = fusion / realTokens;
  }
  return targets;
}

/** Rows begin … end of the targets, as the head's graph takes them. */
export function targetFeeds(
  { ids, labelWeights, fusionWeights, fusedProbabilities, fusedTail, isRollout }: Targets,
  begin: number,
  end: number,
): Readonly<Record<string, HostTensor>> {
  const rows = end - begin;
  const candidates = fusedProbabilities.length / fusedTail.length;
  const column = (data: Float32Array<ArrayBuffer>) => ({ data: data.subarray(begin, end), shape: [rows, 1] });
  return {
    target_ids: {
      data: ids.subarray(begin * (1 + candidates), end * (1 + candidates)),
      shape: [rows, 1 + candidates],
    },
    label_weights: column(labelWeights),
    fusion_weights: column(fusionWeights),
    fused_probabilities: {
      data: fusedProbabilities.subarray(begin * candidates, end * candidates),
      shape: [rows, candidates],
    },
    fused_tail: column(fusedTail),
    ...(isRollout && { is_rollout: column(isRollout) }),
  };
}
