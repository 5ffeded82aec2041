import { FuseMeshError } from '../../../errors/fusemesh-error.ts';
import { expand, reshape, sum } from '../expressions.ts';
import type { ElementType, GradientContext, Operator, TensorType, Value } from '../graph.ts';
import { broadcastShapes, type Shape, sameShape } from '../shape.ts';

/** Refuses operands: the message names the operator, the operands and what is wrong. */
export function refuse(operator: string, inputs: readonly Value[], problem: string): never {
  throw new FuseMeshError('invalid_argument', `${operator}: ${inputs.join(' and ')}: ${problem}`);
}

/** Refuses an operand of another element type than the operator takes. */
export function expectType(operator: string, input: Value, ...allowed: readonly ElementType[]): void {
  if (!allowed.includes(input.elementType)) refuse(operator, [input], `takes ${allowed.join(' or ')}`);
}

/** Type of an elementwise result of operands that broadcast. */
export function broadcastType(operator: string, inputs: readonly [Value, Value]): TensorType {
  const [a, b] = inputs;
  if (a.elementType !== b.elementType) refuse(operator, inputs, 'the element types differ; cast one of them');
  const shape = broadcastShapes(a.shape, b.shape);
  if (!shape) refuse(operator, inputs, 'the shapes do not broadcast');
  return { elementType: a.elementType, shape };
}

/** Sums a cotangent over the axes along which its operand had been stretched. */
export function unbroadcast(cotangent: Value, shape: Shape): Value {
  if (sameShape(cotangent.shape, shape)) return cotangent;
  const leading = cotangent.shape.length - shape.length;
  const axes = cotangent.shape.flatMap((dimension, axis) =>
    axis < leading || (shape[axis - leading] === 1 && dimension !== 1) ? [axis] : [],
  );
  return reshape(sum(cotangent, axes, { keepAxes: true }), shape);
}

/** Stretches the cotangent of a reduction back over the axes that it had summed. */
export function stretchBack(cotangent: Value, shape: Shape, axes: readonly number[]): Value {
  const kept = shape.map((dimension, axis) => (axes.includes(axis) ? 1 : dimension));
  return expand(reshape(cotangent, kept), shape);
}

type Slope = (x: Value, y: Value) => Value;

/** An elementwise function of one float32 operand; `derivative` gives dy/dx from x and y. */
export const elementwise = (
  name: string,
  derivative: Slope,
  chain: (cotangent: Value, slope: Value) => Value,
): Operator => ({
  infer: ([x]) => {
    expectType(name, x, 'float32');
    return [x.type];
  },
  gradient: ({ inputs, outputs, cotangent }) => [chain(cotangent, derivative(inputs[0], outputs[0]))],
});

/** An elementwise function of two operands that broadcast; `partials` gives both cotangents unsummed. */
export const elementwisePair = (
  name: string,
  partials: (cotangent: Value, a: Value, b: Value, context: GradientContext) => readonly [Value, Value],
): Operator => ({
  infer: ([a, b]) => [broadcastType(name, [a, b])],
  gradient: (context) => {
    const [a, b] = context.inputs as [Value, Value];
    const [toA, toB] = partials(context.cotangent, a, b, context);
    return [unbroadcast(toA, a.shape), unbroadcast(toB, b.shape)];
  },
});
