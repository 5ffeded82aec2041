import { pad, reshape, slice, transpose } from '../expressions.ts';
import type { OperatorTable } from '../graph.ts';
import { broadcastShapes, formatShape, product, sameShape } from '../shape.ts';
import { unbroadcast } from './cotangents.ts';
import { fixedSizes, refuse } from './refusals.ts';
import { integersAs, writtenAs } from './written-as.ts';

/** Moves values about, changes none. g is the cotangent of the result. */
export const shapingOperators = {
  Reshape: {
    infer: ([x], { shape }) => {
      const [from, to] = [product(x.shape), product(shape)];
      if (from !== to)
        refuse('Reshape', [x], `holds ${from} values, the shape ${formatShape(shape)} holds ${to}`);
      return [{ elementType: x.elementType, shape }];
    },
    gradient: (g, { inputs: [x] }) => [reshape(g, x.shape), undefined],
    toOnnx: writtenAs('Reshape'),
    isCheap: true,
    isView: true,
  },
  Transpose: {
    infer: ([x], { permutation }) => {
      const sorted = [...permutation].sort((a, b) => a - b);
      const axes = x.shape.map((_, axis) => axis);
      if (!sameShape(sorted, axes))
        refuse('Transpose', [x], `[${permutation.join(', ')}] is not an order of its axes`);
      return [{ elementType: x.elementType, shape: permutation.map((axis) => x.shape[axis]) }];
    },
    gradient: (g, { parameters: { permutation } }) => [
      transpose(
        g,
        permutation.map((_, axis) => permutation.indexOf(axis)),
      ),
    ],
    toOnnx: writtenAs('Transpose', ({ permutation }) => ({ perm: permutation })),
    isCheap: true,
  },
  Expand: {
    infer: ([x], { shape }) => {
      const reached = broadcastShapes(x.shape, shape);
      if (!reached || !sameShape(reached, shape))
        refuse('Expand', [x], `does not stretch to ${formatShape(shape)}`);
      return [{ elementType: x.elementType, shape }];
    },
    gradient: (g, { inputs: [x] }) => [unbroadcast(g, x.shape), undefined],
    toOnnx: writtenAs('Expand'),
  },
  Slice: {
    infer: ([x], { axis, start, end }) => {
      const size = x.shape[axis];
      if (start < 0 || end <= start || (typeof size === 'number' && end > size))
        refuse('Slice', [x], `${start} to ${end} is not a part of axis ${axis}`);
      return [{ elementType: x.elementType, shape: x.shape.with(axis, end - start) }];
    },
    // The slice gets the cotangent, all around it gets zeros.
    gradient: (g, { inputs: [x], parameters: { axis, start, end } }) => {
      const size = x.shape[axis];
      if (typeof size === 'string')
        refuse('Slice', [x], 'its gradient needs the sliced axis to be of fixed size');
      return [pad(g, axis, start, size - end)];
    },
    toOnnx: (onnx, { inputs: [x], outputs: [y], parameters: { axis, start, end } }) => {
      const first = integersAs(onnx, `${y.name}_start`, [start]);
      const last = integersAs(onnx, `${y.name}_end`, [end]);
      onnx.add('Slice', [x, first, last, integersAs(onnx, `${y.name}_axis`, [axis])], {}, y);
    },
    isCheap: true,
  },
  Pad: {
    infer: ([x], { axis, before, after }) => {
      const [size] = fixedSizes('Pad', [x], axis);
      return [{ elementType: x.elementType, shape: x.shape.with(axis, before + size + after) }];
    },
    gradient: (g, { inputs: [x], parameters: { axis, before } }) => {
      const [size] = fixedSizes('Pad', [x], axis);
      return [slice(g, axis, before, before + size)];
    },
    toOnnx: (onnx, { inputs: [x], outputs: [y], parameters: { axis, before, after } }) => {
      const pads = integersAs(onnx, `${y.name}_pads`, [before, after]);
      // The empty name leaves out the value that is put there: 0.
      onnx.add('Pad', [x, pads, '', integersAs(onnx, `${y.name}_axis`, [axis])], {}, y);
    },
  },
  Concat: {
    infer: (parts, { axis, size }) => {
      const [first] = parts;
      for (const part of parts) {
        const alike =
          part.elementType === first.elementType &&
          sameShape(part.shape.with(axis, 0), first.shape.with(axis, 0));
        if (!alike) refuse('Concat', parts, `may differ in size along axis ${axis} only`);
      }
      const whole = size ?? fixedSizes('Concat', parts, axis).reduce((a, b) => a + b, 0);
      return [{ elementType: first.elementType, shape: first.shape.with(axis, whole) }];
    },
    gradient: (g, { inputs: parts, parameters: { axis } }) => {
      let end = 0;
      return fixedSizes('Concat', parts, axis).map((size) => {
        const start = end;
        end += size;
        return slice(g, axis, start, end);
      });
    },
    toOnnx: writtenAs('Concat', ({ axis }) => ({ axis })),
    isCheap: true,
  },
  Shape: {
    infer: (_, { start, end }) => [{ elementType: 'int64', shape: [end - start] }],
    toOnnx: writtenAs('Shape', ({ start, end }) => ({ start, end })),
  },
} satisfies Partial<OperatorTable>;
