import type { GraphProto } from 'onnx-buf';

/** A graph and those that its nodes hold (the branches of If, the body of Loop), at any depth. */
export function* nestedGraphs(graph: GraphProto): Generator<GraphProto> {
  yield graph;
  for (const { attribute } of graph.node) {
    for (const { g, graphs } of attribute) {
      for (const inner of g ? [g, ...graphs] : graphs) yield* nestedGraphs(inner);
    }
  }
}
