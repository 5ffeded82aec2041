import {
  gatherElements,
  log,
  max,
  mul,
  neg,
  scatterAddElements,
  softmax,
  sub,
  sum,
  withGradient,
} from '../../model/graph/expressions.ts';
import type { Value } from '../../model/graph/graph.ts';

/**
 * log softmax(logits) at some ids of each row. Every loss on a sparse support is a function of these few
 * numbers, so that its gradient passes over the vocabulary once: with g = ∂loss/∂(these numbers), ∂logits =
 * scatter(g) − softmax(logits) · Σ g.
 *
 * @param logits [rows, vocabulary]
 * @param ids int32 [rows, n]
 * @returns float32 [rows, n]
 */
export function pickedLogProbabilities(logits: Value, ids: Value): Value {
  const probabilities = softmax(logits);
  // log Σ exp z = max z − log max softmax(z): softmax is largest where z is, and there it is 1 / Σ exp(z − max z).
  const logSum = sub(max(logits, -1, { keepAxes: true }), log(max(probabilities, -1, { keepAxes: true })));
  const picked = sub(gatherElements(logits, ids), logSum);
  return withGradient(picked, [logits], (g) => [
    scatterAddElements(mul(probabilities, neg(sum(g, [-1], { keepAxes: true }))), ids, g),
  ]);
}
