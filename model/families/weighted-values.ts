import { matmul, mul, softmax, sub, sum, withGradient } from '../graph/expressions.ts';
import type { Value } from '../graph/graph.ts';

/**
 * softmax(scores) · values, the second half of attention.
 *
 * With P = softmax(S), O = P·V and g = ∂loss/∂O: ∂V = Pᵀ·g and ∂S = P ∘ (g·Vᵀ − rowsum(g ∘ O)). The row sums
 * over O are those of softmax's own rule over P, but O is narrower (Dao et al. 2022, FlashAttention, section 3.1).
 *
 * @param scores [batch, heads, queries, keys], masked
 * @param values [batch, heads, keys, width]
 * @returns [batch, heads, queries, width]
 */
export function weightedValues(scores: Value, values: Value): Value {
  const weights = softmax(scores);
  const output = matmul(weights, values);
  return withGradient(output, [scores, values], (g) => {
    const rowSums = sum(mul(g, output), [-1], { keepAxes: true });
    return [
      mul(weights, sub(matmul(g, values, { transposeB: true }), rowSums)),
      matmul(weights, g, { transposeA: true }),
    ];
  });
}
