import type { Node } from './graph.ts';

/** How many of their inputs, from the first on, are the factors of a product of matrices. */
const factorCounts: ReadonlyMap<string, number> = new Map([
  ['MatMul', 2],
  ['MatMulAdd', 2],
]);

/** Names of the values that these nodes read as factors of products of matrices, and as nothing else. */
export function factorsAlone(nodes: readonly Node[]): ReadonlySet<string> {
  const factors = new Set<string>();
  const others = new Set<string>();
  for (const { operator, inputs } of nodes) {
    const count = factorCounts.get(operator) ?? 0;
    for (const [i, { name }] of inputs.entries()) (i < count ? factors : others).add(name);
  }
  return new Set([...factors].filter((name) => !others.has(name)));
}
