import { pad, reshape, slice, transpose } from '../expressions.ts';
import type { Attributes, OperatorTable, Value } from '../graph.ts';
import { broadcastShapes, type Dimension, formatShape, type Shape, sameShape } from '../shape.ts';
import { refuse, unbroadcast } from './rules.ts';

/** The shape that an expression wrote into the attributes, which hold no names of sizes otherwise. */
const targetShape = (attributes: Attributes): Shape => {
  const written = attributes['shape'] as string;
  return written === ''
    ? []
    : written.split(',').map((part): Dimension => (/^\d+$/.test(part) ? Number(part) : part));
};

/** Moves values about, changes none. */
export const shapingOperators: OperatorTable = {
  Reshape: {
    infer: ([x], attributes) => [{ elementType: x.elementType, shape: targetShape(attributes) }],
    gradient: ({ inputs: [x], cotangent }) => [reshape(cotangent, x.shape)],
  },
  Transpose: {
    infer: ([x], { permutation }) => {
      const order = permutation as readonly number[];
      if (
        !sameShape(
          [...order].sort((a, b) => a - b),
          x.shape.map((_, axis) => axis),
        )
      ) {
        refuse('Transpose', [x], `[${order.join(', ')}] is not an order of its axes`);
      }
      return [{ elementType: x.elementType, shape: order.map((axis) => x.shape[axis]) }];
    },
    gradient: ({ attributes, cotangent }) => {
      const order = attributes['permutation'] as readonly number[];
      return [
        transpose(
          cotangent,
          order.map((_, axis) => order.indexOf(axis)),
        ),
      ];
    },
  },
  Expand: {
    infer: ([x], attributes) => {
      const shape = targetShape(attributes);
      const reached = broadcastShapes(x.shape, shape);
      if (!reached || !sameShape(reached, shape))
        refuse('Expand', [x], `does not stretch to ${formatShape(shape)}`);
      return [{ elementType: x.elementType, shape }];
    },
    gradient: ({ inputs: [x], cotangent }) => [unbroadcast(cotangent, x.shape)],
  },
  Slice: {
    infer: ([x], attributes) => {
      const [axis, start, end] = sliceBounds(attributes);
      const size = x.shape[axis];
      if (start < 0 || end <= start || (typeof size === 'number' && end > size)) {
        refuse('Slice', [x], `${start} to ${end} is not a part of axis ${axis}`);
      }
      return [{ elementType: x.elementType, shape: x.shape.with(axis, end - start) }];
    },
    // The part gets the cotangent, what stood around it gets zeros.
    gradient: ({ inputs: [x], attributes, cotangent }) => {
      const [axis, start, end] = sliceBounds(attributes);
      const size = x.shape[axis];
      if (typeof size === 'string')
        refuse('Slice', [x], 'its gradient needs the sliced axis to be of fixed size');
      return [pad(cotangent, axis, start, size - end)];
    },
  },
  Pad: {
    infer: ([x], attributes) => {
      const axis = attributes['axis'] as number;
      const [size] = fixedSizes('Pad', [x], axis);
      const padded = size + (attributes['before'] as number) + (attributes['after'] as number);
      return [{ elementType: x.elementType, shape: x.shape.with(axis, padded) }];
    },
    gradient: ({ inputs: [x], attributes, cotangent }) => {
      const axis = attributes['axis'] as number;
      const before = attributes['before'] as number;
      return [slice(cotangent, axis, before, before + (x.shape[axis] as number))];
    },
  },
  Concat: {
    infer: (parts, attributes) => {
      const axis = attributes['axis'] as number;
      const first = parts[0];
      for (const part of parts) {
        const alike =
          part.elementType === first.elementType &&
          sameShape(part.shape.with(axis, 0), first.shape.with(axis, 0));
        if (!alike) refuse('Concat', parts, `may differ in size along axis ${axis} only`);
      }
      const whole =
        attributes['size'] === undefined
          ? fixedSizes('Concat', parts, axis).reduce((a, b) => a + b, 0)
          : (attributes['size'] as string);
      return [{ elementType: first.elementType, shape: first.shape.with(axis, whole) }];
    },
    gradient: ({ inputs: parts, attributes, cotangent }) => {
      const axis = attributes['axis'] as number;
      let end = 0;
      return fixedSizes('Concat', parts, axis).map((size) => {
        const start = end;
        end += size;
        return slice(cotangent, axis, start, end);
      });
    },
  },
  Shape: {
    infer: (_, { start, end }) => [{ elementType: 'int64', shape: [(end as number) - (start as number)] }],
  },
};

function fixedSizes(operator: string, parts: readonly Value[], axis: number): number[] {
  return parts.map(({ shape }) => {
    const size = shape[axis];
    return typeof size === 'number' ? size : refuse(operator, parts, `axis ${axis} must be of fixed size`);
  });
}

const sliceBounds = (attributes: Attributes): readonly [axis: number, start: number, end: number] => [
  attributes['axis'] as number,
  attributes['start'] as number,
  attributes['end'] as number,
];
