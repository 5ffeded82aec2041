import type { NodeProto } from 'onnx-buf';
import type { Node } from '../graph/graph.ts';
import { operators } from '../graph/operators.ts';
import type { OperatorName } from '../graph/signatures.ts';
import { NodeList } from './node-list.ts';

/**
 * `standard` models run wherever ONNX does; `onnxruntime` ones are faster, and need ONNX Runtime; so do those that
 * compute matrix products in 16 bits, which are for GPUs.
 */
export type Dialect = 'standard' | 'onnxruntime' | 'float16' | 'bfloat16';

/** The ONNX nodes of one node of our graph. */
export function lower<Name extends OperatorName>(node: Node<Name>, dialect: Dialect): NodeProto[] {
  const onnx = new NodeList(node.outputs[0].name);
  const { toOnnx, toOnnxRuntime = toOnnx, toHalf } = operators[node.operator];
  if (dialect === 'standard') toOnnx(onnx, node);
  else if (dialect === 'onnxruntime' || !toHalf) toOnnxRuntime(onnx, node);
  else toHalf(onnx, node, dialect);
  return onnx.all;
}
