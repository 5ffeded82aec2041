import type { NodeProto } from 'onnx-buf';
import type { Half } from '../graph/tensor-type.ts';
import { dataTypes, onnxNode } from './node.ts';

/** Inputs and outputs of a model that have 16 bits, by name. */
interface Ends {
  readonly inputs: ReadonlyMap<string, Half>;
  readonly outputs: ReadonlyMap<string, Half>;
}

/**
 * Nodes that compute in float32, between inputs and outputs of 16 bits; the nodes are changed. Where they round such an
 * input to its own type, as for a product of matrices, it is taken as it is.
 */
export function castAtEnds(nodes: readonly NodeProto[], { inputs, outputs }: Ends): NodeProto[] {
  if (inputs.size + outputs.size === 0) return [...nodes];
  /** By the name of the rounded value, that of the input. */
  const rounded = new Map<string, string>();
  for (const { opType, input, output, attribute } of nodes) {
    const type = opType === 'Cast' && inputs.get(input[0]);
    if (type && Number(attribute[0].i) === dataTypes[type]) rounded.set(output[0], input[0]);
  }
  const computing = nodes.filter(({ output }) => !rounded.has(output[0]));
  const read = new Set<string>();
  rename(computing, (name) => {
    const input = rounded.get(name);
    if (input) return input;
    read.add(name);
    return inputs.has(name) || outputs.has(name) ? inFloat32(name) : name;
  });
  return [
    ...[...inputs.keys()]
      .filter((name) => read.has(name))
      .map((name) => onnxNode('Cast', [name], [inFloat32(name)], { to: { elementType: 'float32' } })),
    ...computing,
    ...[...outputs].map(([name, elementType]) =>
      onnxNode('Cast', [inFloat32(name)], [name], { to: { elementType } }),
    ),
  ];
}

const inFloat32 = (name: string): string => `${name}/float32`;

/** In the bodies of loops too, which read values from outside. */
function rename(nodes: readonly NodeProto[], inside: (name: string) => string): void {
  for (const node of nodes) {
    node.name = inside(node.name);
    node.input = node.input.map(inside);
    node.output = node.output.map(inside);
    for (const { g } of node.attribute) if (g) rename(g.node, inside);
  }
}
