import type { Node, Value } from './graph.ts';

/** A part of a graph, in the order in which it was built. */
export interface GraphPart {
  readonly nodes: readonly Node[];
  /** Inputs of every run. */
  readonly inputs: readonly Value[];
  readonly constants: readonly Value[];
}

/**
 * The part of a graph that values depend on.
 *
 * @param given values that are not computed: the part begins at them
 */
export function reachable(outputs: readonly Value[], given: readonly Value[] = []): GraphPart {
  const nodes = new Set<Node>();
  const leaves = new Set<Value>();
  // By name: withGradient makes a second object for one value.
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
