import type { Node } from '../graph/graph.ts';
import { formula } from './formula.ts';
import { type Lowering, type LoweringTable, number } from './lowering.ts';
import { dataTypes } from './node.ts';
import type { NodeList } from './node-list.ts';

/**
 * Matrix products in 16 bits, as tensor cores compute them: their operands are rounded, all else stays float32
 * (Micikevicius et al. 2018, mixed precision).
 */
export const halfProducts = (elementType: 'float16' | 'bfloat16'): LoweringTable => {
  const product = (nodes: NodeList, node: Node, factors: readonly string[], output?: string): string => {
    const rounded = factors.map((factor) => nodes.add('Cast', [factor], { to: dataTypes[elementType] }));
    const attributes = {
      transA: number(node, 'transposeA'),
      transB: number(node, 'transposeB'),
      alpha: { float: number(node, 'alpha') },
    };
    const result = nodes.add('FusedMatMul', rounded, attributes, undefined, 'com.microsoft');
    return nodes.add('Cast', [result], { to: dataTypes.float32 }, output);
  };
  const matMul: Lowering = formula((nodes, node, inputs, [y]) => product(nodes, node, inputs, y));
  const matMulAdd: Lowering = formula((nodes, node, [a, b, c], [y]) => {
    nodes.add('Add', [c, product(nodes, node, [a, b])], {}, y);
  });
  return { MatMul: matMul, MatMulAdd: matMulAdd };
};
