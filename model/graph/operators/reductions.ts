import { div, exp, mul, sub, sum } from '../expressions.ts';
import type { Node, OperatorTable, Value } from '../graph.ts';
import type { Named, OnnxWriter } from '../onnx-writer.ts';
import { product, type Shape } from '../shape.ts';
import type { ParametersOf } from '../signatures.ts';
import type { TensorType } from '../tensor-type.ts';
import { stretchBack } from './cotangents.ts';
import { expectType, refuse } from './refusals.ts';
import { integersAs, writtenAs } from './written-as.ts';

type ReductionName = 'ReduceSum' | 'ReduceMean' | 'ReduceMax';

const reducedShape = (shape: Shape, { axes, keepAxes }: ParametersOf<ReductionName>): Shape =>
  keepAxes
    ? shape.map((dimension, axis) => (axes.includes(axis) ? 1 : dimension))
    : shape.filter((_, axis) => !axes.includes(axis));

const reduction = (name: ReductionName) => ({
  infer: ([x]: readonly [Value], parameters: ParametersOf<ReductionName>): readonly [TensorType] => {
    expectType(name, x, 'float32');
    return [{ elementType: 'float32', shape: reducedShape(x.shape, parameters) }];
  },
  toOnnx: (
    onnx: OnnxWriter,
    { inputs: [x], outputs: [y], parameters: { axes, keepAxes } }: Node<ReductionName>,
  ) => {
    onnx.add(name, [x, integersAs(onnx, `${y.name}_axes`, axes)], { keepdims: Number(keepAxes) }, y);
  },
});

/** A function along the last axis that keeps the shape. */
const alongLastAxis = (name: 'Softmax' | 'LogSoftmax') => ({
  infer: ([x]: readonly [Value]): readonly [TensorType] => {
    expectType(name, x, 'float32');
    if (x.shape.length === 0) refuse(name, [x], 'must have an axis');
    return [x.type];
  },
  toOnnx: writtenAs(name, () => ({ axis: -1 })),
});

/** Over axes. g is the cotangent of the result y. */
export const reductionOperators = {
  ReduceSum: {
    ...reduction('ReduceSum'),
    gradient: (g, { inputs: [x], parameters: { axes } }) => [stretchBack(g, x.shape, axes)],
  },
  ReduceMean: {
    ...reduction('ReduceMean'),
    gradient: (g, { inputs: [x], parameters: { axes } }) => {
      const count = product(axes.map((axis) => x.shape[axis]));
      if (typeof count === 'string')
        refuse('ReduceMean', [x], 'its gradient needs the averaged axes to be of fixed size');
      return [stretchBack(div(g, count), x.shape, axes)];
    },
  },
  ReduceMax: reduction('ReduceMax'),
  // y = softmax(x): dx = y·(g − Σ g·y)
  Softmax: {
    ...alongLastAxis('Softmax'),
    gradient: (g, { outputs: [y] }) => [mul(y, sub(g, sum(mul(g, y), [-1], { keepAxes: true })))],
    reusesInput: true,
  },
  // y = x − log Σ exp x: dx = g − exp(y)·Σ g
  LogSoftmax: {
    ...alongLastAxis('LogSoftmax'),
    gradient: (g, { outputs: [y] }) => [sub(g, mul(exp(y), sum(g, [-1], { keepAxes: true })))],
    // It has no kernel there: x − max x − log Σ exp(x − max x).
    toWebgpu: (onnx, { inputs: [x], outputs: [y] }) => {
      const reduce = (name: string, operand: Named) =>
        onnx.add(name, [operand, onnx.int64s([-1])], { keepdims: 1 });
      const below = onnx.add('Sub', [x, reduce('ReduceMax', x)]);
      const total = reduce('ReduceSum', onnx.add('Exp', [below]));
      onnx.add('Sub', [below, onnx.add('Log', [total])], {}, y);
    },
  },
} satisfies Partial<OperatorTable>;
