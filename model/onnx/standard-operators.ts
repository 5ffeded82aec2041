import { formula } from './formula.ts';
import { type LoweringTable, number } from './lowering.ts';

/** The same primitives in nothing but operators of the ONNX standard, for any runtime. */
export const standardOperators: LoweringTable = {
  Silu: formula((nodes, _, [x], [y]) => nodes.add('Mul', [x, nodes.add('Sigmoid', [x])], {}, y)),
  // x · (1 + erf(x / √2)) / 2
  Gelu: formula((nodes, _, [x], [y]) => {
    const error = nodes.add('Erf', [nodes.add('Mul', [x, nodes.float(Math.SQRT1_2)])]);
    const doubled = nodes.add('Add', [error, nodes.float(1)]);
    nodes.add('Mul', [nodes.add('Mul', [x, nodes.float(0.5)]), doubled], {}, y);
  }),
  // x · (1 + tanh(√(2/π) · (x + 0.044715 · x³))) / 2
  GeluTanh: formula((nodes, _, [x], [y]) => {
    const scale = Math.sqrt(2 / Math.PI);
    const cubic = nodes.add('Mul', [nodes.add('Mul', [x, x]), nodes.float(0.044715 * scale)]);
    const inner = nodes.add('Mul', [x, nodes.add('Add', [cubic, nodes.float(scale)])]);
    const doubled = nodes.add('Add', [nodes.add('Tanh', [inner]), nodes.float(1)]);
    nodes.add('Mul', [nodes.add('Mul', [x, nodes.float(0.5)]), doubled], {}, y);
  }),
  MatMul: formula((nodes, node, inputs, [y]) => {
    const transposed = (index: number, name: string) => {
      if (number(node, name) === 0) return inputs[index];
      const axes = node.inputs[index].shape.map((_, axis) => axis);
      return nodes.add('Transpose', [inputs[index]], {
        perm: [...axes.slice(0, -2), ...axes.slice(-2).reverse()],
      });
    };
    const factors = [transposed(0, 'transposeA'), transposed(1, 'transposeB')];
    const alpha = number(node, 'alpha');
    if (alpha === 1) nodes.add('MatMul', factors, {}, y);
    else nodes.add('Mul', [nodes.add('MatMul', factors), nodes.float(alpha)], {}, y);
  }),
  // The second output is 1 / √(mean(x²) + epsilon).
  RmsNorm: formula((nodes, node, [x, weight], [y, reciprocal]) => {
    const squares = nodes.add('Mul', [x, x]);
    const mean = nodes.add('ReduceMean', [squares, nodes.int64s([-1])], { keepdims: 1 });
    const root = nodes.add('Sqrt', [nodes.add('Add', [mean, nodes.float(number(node, 'epsilon'))])]);
    nodes.add('Reciprocal', [root], {}, reciprocal);
    nodes.add('Mul', [nodes.add('Mul', [x, reciprocal]), weight], {}, y);
  }),
  // Every head's halves (a, b) turn by the angle of their position: (a·cos − b·sin, b·cos + a·sin).
  RotaryEmbedding: formula((nodes, node, [x, positions, cos, sin], [y]) => {
    const width = node.inputs[0].shape[2] as number;
    const half = node.inputs[2].shape[1] as number;
    // 0 keeps the size of that axis.
    const perHead = nodes.add('Reshape', [x, nodes.int64s([0, 0, width / (2 * half), 2 * half])]);
    const lastAxis = nodes.int64s([3]);
    const part = (start: number) =>
      nodes.add('Slice', [perHead, nodes.int64s([start]), nodes.int64s([start + half]), lastAxis]);
    const [a, b] = [part(0), part(half)];
    const headAxis = nodes.int64s([2]);
    const ofPositions = (table: string) =>
      nodes.add('Unsqueeze', [nodes.add('Gather', [table, positions], { axis: 0 }), headAxis]);
    const [cosines, sines] = [ofPositions(cos), ofPositions(sin)];
    const first = nodes.add('Sub', [nodes.add('Mul', [a, cosines]), nodes.add('Mul', [b, sines])]);
    const second = nodes.add('Add', [nodes.add('Mul', [b, cosines]), nodes.add('Mul', [a, sines])]);
    const turned = nodes.add('Concat', [first, second], { axis: 3 });
    nodes.add('Reshape', [turned, nodes.int64s([0, 0, width])], {}, y);
  }),
};
