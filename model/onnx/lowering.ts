import type { NodeProto } from 'onnx-buf';
import type { Node } from '../graph/graph.ts';
import { type OnnxAttribute, onnxNode } from './node.ts';

/** The ONNX nodes of one node of our graph, from the names of its inputs to those of its outputs. */
export type Lowering = (node: Node, inputs: string[], outputs: string[]) => NodeProto[];

/** How primitives are written in ONNX, by their names. */
export type LoweringTable = Readonly<Record<string, Lowering>>;

/** An operator that ONNX has under the name `opType`. */
export const same =
  (
    opType: string,
    attributes: (node: Node) => Record<string, OnnxAttribute> = () => ({}),
    domain = '',
  ): Lowering =>
  (node, inputs, outputs) => [onnxNode(opType, inputs, outputs, attributes(node), domain)];

export const number = (node: Node, name: string): number => node.attributes[name] as number;
export const numbers = (node: Node, name: string): readonly number[] =>
  node.attributes[name] as readonly number[];

/** An int64 tensor of rank 1 as a node, for operators that take their axes as an input. */
export const int64s = (name: string, values: readonly number[]): NodeProto =>
  onnxNode('Constant', [], [name], { value_ints: values });
