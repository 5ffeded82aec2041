import { describe, expect, it } from 'vitest';
import { largestGradientError } from '../../test/support/finite-differences.ts';
import { operatorCases } from '../../test/support/operator-cases.ts';
import * as e from './expressions.ts';
import { gradients } from './gradients.ts';
import type { Value } from './graph.ts';
import { createGraph, operators } from './operators.ts';

describe('gradients agree with finite differences', () => {
  it.each(operatorCases.map((c) => [c.what ? `${c.operator}, ${c.what}` : c.operator, c] as const))(
    '%s',
    async (_, { f, samples }) => {
      expect(await largestGradientError(f, samples)).toBeLessThan(1e-3);
    },
  );

  it('covers every operator that has a gradient', () => {
    const differentiable = Object.entries(operators)
      .filter(([, { gradient }]) => gradient)
      .map(([name]) => name);
    expect(new Set(operatorCases.map((c) => c.operator))).toEqual(new Set(differentiable));
  });

  it('sums over all uses of a value', async () => {
    const f = (x: Value) => e.add(e.mul(x, e.exp(x)), e.matmul(x, x, { transposeA: true }));
    expect(await largestGradientError(f, [{ shape: [3, 3] }])).toBeLessThan(1e-3);
  });

  it('takes a rule in place of those of the operators between', async () => {
    // Right for x² only if the rule is used: the operators in between would give 3x².
    const f = (x: Value) => e.withGradient(e.mul(x, e.mul(x, x)), [x], (g) => [e.mul(g, e.mul(x, 2))]);
    expect(await largestGradientError(f, [{ shape: [3], low: 1, high: 2 }])).toBeGreaterThan(0.3);
  });
});

describe('what has no gradient is refused', () => {
  const graph = createGraph();
  const x = graph.input('x', 'float32', [2, 3]);
  const y = graph.input('y', 'float32', [2]);

  it('a loss that is no scalar', () => {
    expect(() => gradients(e.neg(x), [x])).toThrow('must be a scalar');
  });

  it('a parameter without a part in the loss', () => {
    expect(() => gradients(e.sumAll(x), [y])).toThrow(
      'the loss does not depend on the parameter "y" (float32 [2])',
    );
  });

  it('an operator without a gradient', () => {
    expect(() => gradients(e.sumAll(e.topK(x, 2).values), [x])).toThrow('no gradient flows through TopK');
  });
});
