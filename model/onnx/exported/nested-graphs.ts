import type { GraphProto, ValueInfoProto } from 'onnx-buf';

/** A graph and those that its nodes hold (the branches of If, the body of Loop), at any depth. */
export function* nestedGraphs(graph: GraphProto): Generator<GraphProto> {
  yield graph;
  for (const { attribute } of graph.node) {
    for (const { g, graphs } of attribute) {
      for (const inner of g ? [g, ...graphs] : graphs) yield* nestedGraphs(inner);
    }
  }
}

/**
 * Puts a prefix before the names of all values, nodes and open sizes of a graph, in place, so that no name of
 * another graph can be among them. Graphs inside of it see its values, so they are renamed alike.
 */
export function prefixNames(graph: GraphProto, prefix: string): void {
  // The empty name stands for an input or output that is left out.
  const prefixed = (name: string) => (name === '' ? '' : prefix + name);
  const declare = (value: ValueInfoProto) => {
    value.name = prefixed(value.name);
    if (value.type?.value.case !== 'tensorType') return;
    for (const { value: size } of value.type.value.value.shape?.dim ?? []) {
      if (size.case === 'dimParam') size.value = prefixed(size.value);
    }
  };
  for (const part of nestedGraphs(graph)) {
    for (const value of [...part.input, ...part.output, ...part.valueInfo]) declare(value);
    for (const tensor of part.initializer) tensor.name = prefixed(tensor.name);
    for (const { values } of part.sparseInitializer) if (values) values.name = prefixed(values.name);
    for (const node of part.node) {
      node.input = node.input.map(prefixed);
      node.output = node.output.map(prefixed);
      // Names of nodes must be unique too, and our nodes are named after their outputs.
      if (node.name !== '') node.name = prefixed(`node/${node.name}`);
    }
    // Annotations that no runtime needs.
    part.quantizationAnnotation = [];
  }
}
