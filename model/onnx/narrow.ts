import type { NodeProto } from 'onnx-buf';
import { onnxNode } from './node.ts';

/** Inputs and outputs of a model, by name. */
interface Ends {
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
}

/** Nodes that compute in float32, between inputs and outputs that are bfloat16; the nodes are changed. */
export function castAtEnds(nodes: readonly NodeProto[], { inputs, outputs }: Ends): NodeProto[] {
  const ends = new Set([...inputs, ...outputs]);
  const inside = (name: string) => (ends.has(name) ? `${name}/float32` : name);
  rename(nodes, inside);
  return [
    ...inputs.map((name) => onnxNode('Cast', [name], [inside(name)], { to: { elementType: 'float32' } })),
    ...nodes,
    ...outputs.map((name) => onnxNode('Cast', [inside(name)], [name], { to: { elementType: 'bfloat16' } })),
  ];
}

/** In the bodies of loops too, which read values from outside. */
function rename(nodes: readonly NodeProto[], inside: (name: string) => string): void {
  for (const node of nodes) {
    node.name = inside(node.name);
    node.input = node.input.map(inside);
    node.output = node.output.map(inside);
    for (const { g } of node.attribute) if (g) rename(g.node, inside);
  }
}
