import { FuseMeshError } from '../../errors/fusemesh-error.ts';

/**
 * The size of one axis: a number, or a product of named sizes that are known only when the graph runs,
 * written as '2*batch*length' (factor first, names in order of the alphabet).
 */
export type Dimension = number | string;
export type Shape = readonly Dimension[];

/** Prints a shape as people write it: [batch, 4, 64]. */
export const formatShape = (shape: Shape): string => `[${shape.join(', ')}]`;

export const sameShape = (a: Shape, b: Shape): boolean =>
  a.length === b.length && a.every((dimension, axis) => dimension === b[axis]);

/** Product of dimensions: 4 × 'batch' × 'length' = '4*batch*length'. */
export function product(dimensions: Shape): Dimension {
  let factor = 1;
  const names: string[] = [];
  for (const dimension of dimensions) {
    if (typeof dimension === 'number') factor *= dimension;
    else
      for (const part of dimension.split('*')) {
        if (/^\d+$/.test(part)) factor *= Number(part);
        else names.push(part);
      }
  }
  if (names.length === 0 || factor === 0) return factor;
  names.sort();
  return factor === 1 ? names.join('*') : [factor, ...names].join('*');
}

/** How many values a shape holds; only for shapes of plain numbers. */
export function elementCount(shape: Shape): number {
  const count = product(shape);
  if (typeof count === 'string')
    throw new FuseMeshError('internal', `shape ${formatShape(shape)} has no fixed size`);
  return count;
}

/** A shape with numbers for its named sizes: ['length*rows', 4] where length is 3 and rows 2 → [6, 4]. */
export const boundShape = (shape: Shape, sizes: Readonly<Record<string, number>>): number[] =>
  shape.map((dimension) =>
    typeof dimension === 'number'
      ? dimension
      : dimension.split('*').reduce((all, part) => all * (sizes[part] ?? Number(part)), 1),
  );

/**
 * Shape of an elementwise result by ONNX's (NumPy's) broadcasting: axes are matched from the right,
 * and an axis of size 1 stretches.
 */
export function broadcastShapes(a: Shape, b: Shape): Shape | undefined {
  const rank = Math.max(a.length, b.length);
  const result: Dimension[] = [];
  for (let axis = 0; axis < rank; axis++) {
    const left = a[axis - rank + a.length] ?? 1;
    const right = b[axis - rank + b.length] ?? 1;
    if (left !== right && left !== 1 && right !== 1) return undefined;
    result.push(left === 1 ? right : left);
  }
  return result;
}
