import { add, greaterOrEqual, mul, neg, slice, sumAll, where } from '../../model/graph/expressions.ts';
import type { Graph, Value } from '../../model/graph/graph.ts';
import { type Divergence, divergence } from './divergences.ts';
import { pickedLogProbabilities } from './picked-log-probabilities.ts';

/** Inputs of a graph with the target of each row, K candidates at most. */
export interface TargetInputs {
  /** int32 [rows, 1 + K]: the label, then the candidates of the fused distribution. */
  readonly ids: Value;
  /** float32 [rows, 1]: λ divided by the number of real tokens; 0 where there is no label. */
  readonly labelWeights: Value;
  /** float32 [rows, 1]: 1 − λ divided by the same; 0 where there is no label or no fused distribution. */
  readonly fusionWeights: Value;
  /** float32 [rows, K] */
  readonly fusedProbabilities: Value;
  /** float32 [rows, 1] */
  readonly fusedTail: Value;
  /** float32 [rows, 1]: 1 in a text that the model wrote itself; undefined where no text counts otherwise than others. */
  readonly isRollout: Value | undefined;
}

/** How the target is drawn to the fused distribution. */
export interface Divergences {
  readonly divergence: Divergence;
  /** The same in texts that the model wrote itself; left out, as in all others. */
  readonly rolloutDivergence?: Divergence | undefined;
}

/** Whether texts that the model wrote itself have a divergence of their own. */
export const marksRollouts = ({ divergence, rolloutDivergence }: Divergences): boolean =>
  rolloutDivergence !== undefined && JSON.stringify(rolloutDivergence) !== JSON.stringify(divergence);

/** The inputs by the names under which a batch feeds them. */
export const targetInputs = (
  graph: Graph,
  { candidates, ...divergences }: Divergences & { readonly candidates: number },
): TargetInputs => ({
  ids: graph.input('target_ids', 'int32', ['rows', 1 + candidates]),
  labelWeights: graph.input('label_weights', 'float32', ['rows', 1]),
  fusionWeights: graph.input('fusion_weights', 'float32', ['rows', 1]),
  fusedProbabilities: graph.input('fused_probabilities', 'float32', ['rows', candidates]),
  fusedTail: graph.input('fused_tail', 'float32', ['rows', 1]),
  isRollout: marksRollouts(divergences) ? graph.input('is_rollout', 'float32', ['rows', 1]) : undefined,
});

/**
 * λ·CLM + (1 − λ)·fusion (FuseLLM, equation 5), summed over rows. The fused distribution has a few tokens and
 * a tail; a [rows, vocabulary] target is never built.
 *
 * @param logits [rows, vocabulary]
 * @returns the loss; and of each row, [rows, 1], its two parts before they are weighed, in nats
 */
export function fusedLoss(
  logits: Value,
  { ids, labelWeights, fusionWeights, fusedProbabilities, fusedTail, isRollout }: TargetInputs,
  { divergence: ofCorpus, rolloutDivergence = ofCorpus }: Divergences,
): { readonly loss: Value; readonly causal: Value; readonly fusion: Value } {
  const picked = pickedLogProbabilities(logits, ids);
  const causal = neg(slice(picked, 1, 0, 1));
  const pair = {
    fused: fusedProbabilities,
    fusedTail,
    logTarget: slice(picked, 1, 1, ids.shape[1] as number),
  };
  const fusion =
    isRollout === undefined
      ? divergence(ofCorpus, pair)
      : where(
          greaterOrEqual(isRollout, 0.5),
          divergence(rolloutDivergence, pair),
          divergence(ofCorpus, pair),
        );
  const loss = add(sumAll(mul(labelWeights, causal)), sumAll(mul(fusionWeights, fusion)));
  return { loss, causal, fusion };
}
