import type { Node, Value } from './graph.ts';

/** A part of a graph, in the order in which it was built. */
export interface GraphPart {
  readonly nodes: readonly Node[];
  /** What is given at every run. */
  readonly inputs: readonly Value[];
  readonly constants: readonly Value[];
}

/**
 * What values depend on.
 *
 * @param given values that are not computed: the part begins at them
 */
export function reachable(outputs: readonly Value[], given: readonly Value[] = []): GraphPart {
  const nodes = new Set<Node>();
  const leaves = new Set<Value>();
  // By name: a value with a gradient rule of its own is another object than that which its node gives.
  const givenNames = new Set(given.map(({ name }) => name));
  const open = [...outputs];
  for (let value = open.pop(); value; value = open.pop()) {
    if (givenNames.has(value.name)) continue;
    if (value.origin.kind !== 'node') leaves.add(value);
    else if (!nodes.has(value.origin.node)) {
      nodes.add(value.origin.node);
      open.push(...value.origin.node.inputs);
    }
  }
  const { graph } = outputs[0];
  return {
    nodes: graph.nodes.filter((node) => nodes.has(node)),
    inputs: [...graph.inputs.filter((value) => leaves.has(value)), ...given],
    constants: graph.constants.filter((value) => leaves.has(value)),
  };
}
