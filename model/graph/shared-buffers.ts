import type { Node, Value } from './graph.ts';
import { operators } from './operators.ts';
import { reachable } from './reachable.ts';

/**
 * Assigns values to as few buffers as is safe in whatever order ONNX Runtime runs the nodes: a value takes
 * over the buffer of an input if all other readers of that input must have run before.
 *
 * @param nodes in an order in which they can run
 * @param isWide which values get a buffer
 * @returns the values of each buffer
 */
export function sharedBuffers(nodes: readonly Node[], isWide: (value: Value) => boolean): Value[][] {
  const buffers: Value[][] = [];
  for (const node of nodes) {
    for (const output of node.outputs.filter(isWide)) {
      const { inPlaceOf } = operators[node.operator];
      const from = inPlaceOf === undefined ? undefined : node.inputs[inPlaceOf];
      const buffer = from && buffers.find((values) => values.at(-1)!.name === from.name);
      if (buffer && isLastReader(node, from, nodes)) buffer.push(output);
      else buffers.push([output]);
    }
  }
  return buffers;
}

/** Whether a node runs after all others that read a value. */
function isLastReader(node: Node, value: Value, nodes: readonly Node[]): boolean {
  const before = new Set(reachable(node.inputs).nodes);
  const readers = nodes.filter(({ inputs }) => inputs.some(({ name }) => name === value.name));
  return readers.every((reader) => reader === node || before.has(reader));
}
