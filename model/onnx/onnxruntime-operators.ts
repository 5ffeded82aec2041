import { type LoweringTable, number, same } from './lowering.ts';
import { onnxNode } from './node.ts';

/** ONNX Runtime's own operators: one kernel each, where the standard needs several. */
export const onnxRuntimeOperators: LoweringTable = {
  // x · sigmoid(alpha · x)
  Silu: same('QuickGelu', () => ({ alpha: { float: 1 } }), 'com.microsoft'),
  Gelu: same('Gelu', () => ({}), 'com.microsoft'),
  GeluTanh: same('FastGelu', () => ({}), 'com.microsoft'),
  MatMul: (node, inputs, outputs) => {
    const [transA, transB, alpha] = [
      number(node, 'transposeA'),
      number(node, 'transposeB'),
      number(node, 'alpha'),
    ];
    if (transA === 0 && transB === 0 && alpha === 1) return [onnxNode('MatMul', inputs, outputs)];
    return [
      onnxNode('FusedMatMul', inputs, outputs, { transA, transB, alpha: { float: alpha } }, 'com.microsoft'),
    ];
  },
  // Stands in the standard's domain, but not in the standard.
  RmsNorm: same('SimplifiedLayerNormalization', (node) => ({
    axis: -1,
    epsilon: { float: number(node, 'epsilon') },
  })),
  RotaryEmbedding: same('RotaryEmbedding', () => ({}), 'com.microsoft'),
};
