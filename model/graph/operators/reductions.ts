import { div, exp, mul, sub, sum } from '../expressions.ts';
import type { Attributes, Operator, OperatorTable, Value } from '../graph.ts';
import { product, type Shape } from '../shape.ts';
import { expectType, refuse, stretchBack } from './rules.ts';

const reducedAxes = (attributes: Attributes): readonly number[] => attributes['axes'] as readonly number[];

function reducedShape(shape: Shape, attributes: Attributes): Shape {
  const axes = reducedAxes(attributes);
  return attributes['keepAxes'] === 1
    ? shape.map((dimension, axis) => (axes.includes(axis) ? 1 : dimension))
    : shape.filter((_, axis) => !axes.includes(axis));
}

/** A sum over axes, divided by something that does not depend on the values. */
const reduction = (
  name: string,
  spread: (cotangent: Value, input: Value, axes: readonly number[]) => Value,
): Operator => ({
  infer: ([x], attributes) => {
    expectType(name, x, 'float32');
    return [{ elementType: 'float32', shape: reducedShape(x.shape, attributes) }];
  },
  gradient: ({ inputs: [x], attributes, cotangent }) => [spread(cotangent, x, reducedAxes(attributes))],
});

/** A function along the last axis that keeps the shape. */
const alongLastAxis = (name: string, gradient: (y: Value, g: Value) => Value): Operator => ({
  infer: ([x]) => {
    expectType(name, x, 'float32');
    if (x.shape.length === 0) refuse(name, [x], 'must have an axis');
    return [x.type];
  },
  gradient: ({ outputs, cotangent }) => [gradient(outputs[0], cotangent)],
});

/** Over axes. */
export const reductionOperators: OperatorTable = {
  ReduceSum: reduction('ReduceSum', (g, x, axes) => stretchBack(g, x.shape, axes)),
  ReduceMean: reduction('ReduceMean', (g, x, axes) => {
    const count = product(axes.map((axis) => x.shape[axis]));
    if (typeof count === 'string')
      refuse('ReduceMean', [x], 'its gradient needs the averaged axes to be of fixed size');
    return stretchBack(div(g, count), x.shape, axes);
  }),
  ReduceMax: { infer: reduction('ReduceMax', (g) => g).infer },
  // y = softmax(x): dx = y·(g − Σ g·y)
  Softmax: alongLastAxis('Softmax', (y, g) => mul(y, sub(g, sum(mul(g, y), [-1], { keepAxes: true })))),
  // y = x − log Σ exp x: dx = g − exp(y)·Σ g
  LogSoftmax: alongLastAxis('LogSoftmax', (y, g) => sub(g, mul(exp(y), sum(g, [-1], { keepAxes: true })))),
};
