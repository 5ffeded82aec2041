import type { NodeProto } from 'onnx-buf';
import { FuseMeshError } from '../../errors/fusemesh-error.ts';
import type { ElementType, Node } from '../graph/graph.ts';
import { dataTypes, type OnnxAttribute, onnxNode } from './node.ts';

type Lowering = (node: Node, inputs: string[], outputs: string[]) => NodeProto[];

/** An operator that ONNX has under the name `opType`. */
const same =
  (
    opType: string,
    attributes: (node: Node) => Record<string, OnnxAttribute> = () => ({}),
    domain = '',
  ): Lowering =>
  (node, inputs, outputs) => [onnxNode(opType, inputs, outputs, attributes(node), domain)];

const number = (node: Node, name: string): number => node.attributes[name] as number;
const numbers = (node: Node, name: string): readonly number[] => node.attributes[name] as readonly number[];

/** An int64 tensor of rank 1 as a node, for operators that take their axes as an input. */
const int64s = (name: string, values: readonly number[]): NodeProto =>
  onnxNode('Constant', [], [name], { value_ints: values });

const reduction =
  (opType: string): Lowering =>
  (node, [x], [y]) => [
    int64s(`${y}_axes`, numbers(node, 'axes')),
    onnxNode(opType, [x, `${y}_axes`], [y], { keepdims: number(node, 'keepAxes') }),
  ];

const lastAxis = () => ({ axis: -1 });

/** How each primitive is written in ONNX: operators of the standard, and a few of ONNX Runtime's own. */
const lowerings: Readonly<Record<string, Lowering>> = {
  Add: same('Add'),
  Sub: same('Sub'),
  Mul: same('Mul'),
  Div: same('Div'),
  Neg: same('Neg'),
  Exp: same('Exp'),
  Log: same('Log'),
  Sqrt: same('Sqrt'),
  Sigmoid: same('Sigmoid'),
  // x · sigmoid(alpha · x)
  Silu: same('QuickGelu', () => ({ alpha: { float: 1 } }), 'com.microsoft'),
  Erf: same('Erf'),
  Tanh: same('Tanh'),
  Gelu: same('Gelu', () => ({}), 'com.microsoft'),
  GeluTanh: same('FastGelu', () => ({}), 'com.microsoft'),
  GreaterOrEqual: same('GreaterOrEqual'),
  Where: same('Where'),
  Cast: same('Cast', (node) => ({ to: dataTypes[node.attributes['to'] as ElementType] })),
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
  RmsNorm: same('SimplifiedLayerNormalization', (node) => ({
    axis: -1,
    epsilon: { float: number(node, 'epsilon') },
  })),
  LayerNorm: same('LayerNormalization', (node) => ({
    axis: -1,
    epsilon: { float: number(node, 'epsilon') },
  })),
  ReduceSum: reduction('ReduceSum'),
  ReduceMean: reduction('ReduceMean'),
  Softmax: same('Softmax', lastAxis),
  LogSoftmax: same('LogSoftmax', lastAxis),
  Reshape: same('Reshape'),
  Transpose: same('Transpose', (node) => ({ perm: numbers(node, 'permutation') })),
  Expand: same('Expand'),
  Slice: (node, [x], [y]) => [
    int64s(`${y}_start`, [number(node, 'start')]),
    int64s(`${y}_end`, [number(node, 'end')]),
    int64s(`${y}_axis`, [number(node, 'axis')]),
    onnxNode('Slice', [x, `${y}_start`, `${y}_end`, `${y}_axis`], [y]),
  ],
  Concat: same('Concat', (node) => ({ axis: number(node, 'axis') })),
  Shape: same('Shape', (node) => ({ start: number(node, 'start'), end: number(node, 'end') })),
  GatherRows: same('Gather', () => ({ axis: 0 })),
  // Not by ScatterND: ONNX Runtime adds its rows on several threads without a lock and loses some.
  ScatterAddRows: (node, [updates, indices], [y]) => {
    const [output] = node.outputs;
    const otherAxes = output.shape.slice(1).map((_, axis) => axis + 1);
    return [
      int64s(`${y}_axes`, otherAxes),
      onnxNode('Unsqueeze', [indices, `${y}_axes`], [`${y}_column`]),
      onnxNode('Shape', [updates], [`${y}_shape`]),
      onnxNode('Expand', [`${y}_column`, `${y}_shape`], [`${y}_indices`]),
      ...zeros(`${y}_zeros`, output.shape as readonly number[]),
      onnxNode('ScatterElements', [`${y}_zeros`, `${y}_indices`, updates], [y], {
        axis: 0,
        reduction: 'add',
      }),
    ];
  },
  GatherElements: same('GatherElements', () => ({ axis: 1 })),
  ScatterAddElements: same('ScatterElements', () => ({ axis: 1, reduction: 'add' })),
  Zeros: (node, _, [y]) => zeros(y, numbers(node, 'sizes')),
  TopK: same('TopK', lastAxis),
  RotaryEmbedding: same('RotaryEmbedding', () => ({}), 'com.microsoft'),
};

/** Filled when the graph runs: a constant would be kept in the model's file and in memory. */
const zeros = (name: string, sizes: readonly number[]): NodeProto[] => {
  const fill = onnxNode('ConstantOfShape', [`${name}_sizes`], [name]);
  return [int64s(`${name}_sizes`, sizes), fill];
};

/** The ONNX nodes of one node of our graph. */
export function lower(node: Node): NodeProto[] {
  const lowering = lowerings[node.operator];
  if (!lowering) throw new FuseMeshError('internal', `operator "${node.operator}" has no form in ONNX`);
  return lowering(
    node,
    node.inputs.map((value) => value.name),
    node.outputs.map((value) => value.name),
  );
}
