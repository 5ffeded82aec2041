import { expand, reshape, sum } from '../expressions.ts';
import type { Value } from '../graph.ts';
import { type Shape, sameShape } from '../shape.ts';

/** Sums a cotangent over the axes along which its operand was broadcast. */
export function unbroadcast(cotangent: Value, shape: Shape): Value {
  if (sameShape(cotangent.shape, shape)) return cotangent;
  const leading = cotangent.shape.length - shape.length;
  const axes = cotangent.shape.flatMap((dimension, axis) =>
    axis < leading || (shape[axis - leading] === 1 && dimension !== 1) ? [axis] : [],
  );
  return reshape(sum(cotangent, axes, { keepAxes: true }), shape);
}

/** Stretches the cotangent of a reduction over the axes that it reduced. */
export function stretchBack(cotangent: Value, shape: Shape, axes: readonly number[]): Value {
  const kept = shape.map((dimension, axis) => (axes.includes(axis) ? 1 : dimension));
  return expand(reshape(cotangent, kept), shape);
}
