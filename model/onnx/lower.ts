import type { NodeProto } from 'onnx-buf';
import { FuseMeshError } from '../../errors/fusemesh-error.ts';
import type { ElementType, Node } from '../graph/graph.ts';
import { halfProducts } from './half-products.ts';
import { int64s, type Lowering, type LoweringTable, number, numbers, same } from './lowering.ts';
import { dataTypes, onnxNode } from './node.ts';
import { onnxRuntimeOperators } from './onnxruntime-operators.ts';
import { standardOperators } from './standard-operators.ts';

/**
 * `standard` models run wherever ONNX does; `onnxruntime` ones are faster, and need ONNX Runtime; so do those that
 * compute matrix products in 16 bits, which are for GPUs.
 */
export type Dialect = 'standard' | 'onnxruntime' | 'float16' | 'bfloat16';

const reduction =
  (opType: string): Lowering =>
  (node, [x], [y]) => [
    int64s(`${y}_axes`, numbers(node, 'axes')),
    onnxNode(opType, [x, `${y}_axes`], [y], { keepdims: number(node, 'keepAxes') }),
  ];

const lastAxis = () => ({ axis: -1 });

/** What is written alike in both dialects. */
const commonOperators: LoweringTable = {
  Add: same('Add'),
  Sub: same('Sub'),
  Mul: same('Mul'),
  Div: same('Div'),
  Neg: same('Neg'),
  Exp: same('Exp'),
  Log: same('Log'),
  Sqrt: same('Sqrt'),
  Sigmoid: same('Sigmoid'),
  Erf: same('Erf'),
  Tanh: same('Tanh'),
  GreaterOrEqual: same('GreaterOrEqual'),
  Where: same('Where'),
  Cast: same('Cast', (node) => ({ to: dataTypes[node.attributes['to'] as ElementType] })),
  LayerNorm: same('LayerNormalization', (node) => ({
    axis: -1,
    epsilon: { float: number(node, 'epsilon') },
  })),
  MatMulAdd: same('Gemm', (node) => ({
    transA: number(node, 'transposeA'),
    transB: number(node, 'transposeB'),
    alpha: { float: number(node, 'alpha') },
  })),
  ReduceSum: reduction('ReduceSum'),
  ReduceMean: reduction('ReduceMean'),
  ReduceMax: reduction('ReduceMax'),
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
  Pad: (node, [x], [y]) => [
    int64s(`${y}_pads`, [number(node, 'before'), number(node, 'after')]),
    int64s(`${y}_axis`, [number(node, 'axis')]),
    onnxNode('Pad', [x, `${y}_pads`, '', `${y}_axis`], [y]),
  ],
  Concat: same('Concat', (node) => ({ axis: number(node, 'axis') })),
  Shape: same('Shape', (node) => ({ start: number(node, 'start'), end: number(node, 'end') })),
  GatherRows: same('Gather', () => ({ axis: 0 })),
  // Not by ScatterND: ONNX Runtime adds its rows on several threads without a lock and loses some.
  ScatterAddRows: (node, [table, indices, updates], [y]) => {
    const otherAxes = node.outputs[0].shape.slice(1).map((_, axis) => axis + 1);
    return [
      int64s(`${y}_axes`, otherAxes),
      onnxNode('Unsqueeze', [indices, `${y}_axes`], [`${y}_column`]),
      onnxNode('Shape', [updates], [`${y}_shape`]),
      onnxNode('Expand', [`${y}_column`, `${y}_shape`], [`${y}_indices`]),
      onnxNode('ScatterElements', [table, `${y}_indices`, updates], [y], {
        axis: 0,
        reduction: 'add',
      }),
    ];
  },
  GatherElements: same('GatherElements', () => ({ axis: 1 })),
  ScatterAddElements: same('ScatterElements', () => ({ axis: 1, reduction: 'add' })),
  // Filled when the graph runs: a constant would be kept in the model's file and in memory.
  Zeros: (node, _, [y]) => [
    int64s(`${y}_sizes`, numbers(node, 'sizes')),
    onnxNode('ConstantOfShape', [`${y}_sizes`], [y]),
  ],
  TopK: same('TopK', lastAxis),
};

const dialects: Readonly<Record<Dialect, LoweringTable>> = {
  standard: { ...commonOperators, ...standardOperators },
  onnxruntime: { ...commonOperators, ...onnxRuntimeOperators },
  float16: { ...commonOperators, ...onnxRuntimeOperators, ...halfProducts('float16') },
  bfloat16: { ...commonOperators, ...onnxRuntimeOperators, ...halfProducts('bfloat16') },
};

/** The ONNX nodes of one node of our graph. */
export function lower(node: Node, dialect: Dialect): NodeProto[] {
  const lowering = dialects[dialect][node.operator];
  if (!lowering) throw new FuseMeshError('internal', `operator "${node.operator}" has no form in ONNX`);
  return lowering(
    node,
    node.inputs.map((value) => value.name),
    node.outputs.map((value) => value.name),
  );
}
