import type { Node } from '../graph/graph.ts';
import type { Lowering } from './lowering.ts';
import { NodeList } from './node-list.ts';

/** A primitive that takes several operators of ONNX: `write` adds them, one after another. */
export const formula =
  (write: (nodes: NodeList, node: Node, inputs: string[], outputs: string[]) => void): Lowering =>
  (node, inputs, outputs) => {
    const nodes = new NodeList(outputs[0]);
    write(nodes, node, inputs, outputs);
    return nodes.all;
  };
