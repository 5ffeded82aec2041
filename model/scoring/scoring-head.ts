import { cast, gatherElements, logSoftmax, topK } from '../graph/expressions.ts';
import type { Value } from '../graph/graph.ts';

/**
 * Log-softmax, top-k and cross-entropy behind logits, so that only k values a token leave the model. Adds the
 * inputs labels int32 [rows, 1] (the token after each row's) and k int64 [1].
 *
 * @param logits float32 [rows, vocabulary]
 * @returns log_probabilities float32 [rows, k] and candidate_ids int32 of the same shape, falling;
 * label_log_probabilities float32 [rows, 1]
 */
export function scoringHead(logits: Value): Readonly<Record<string, Value>> {
  const { graph, shape } = logits;
  const labels = graph.input('labels', 'int32', [shape[0], 1]);
  const k = graph.input('k', 'int64', [1]);
  const logProbabilities = logSoftmax(logits);
  const { values, indices } = topK(logProbabilities, { value: k, size: 'k' });
  return {
    log_probabilities: values,
    candidate_ids: cast(indices, 'int32'),
    label_log_probabilities: gatherElements(logProbabilities, labels),
  };
}
