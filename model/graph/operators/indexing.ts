import {
  gatherElements,
  gatherRows,
  neg,
  rotaryEmbedding,
  scatterAddElements,
  scatterAddRows,
  zeros,
} from '../expressions.ts';
import type { OperatorTable, Value } from '../graph.ts';
import { microsoft } from '../onnx-writer.ts';
import { sameShape } from '../shape.ts';
import { expectType, fixedShape, fixedSizes, refuse } from './refusals.ts';
import { integersAs, writtenAs } from './written-as.ts';

/** Values picked and placed by index. g is the cotangent of the result. */
export const indexingOperators = {
  GatherRows: {
    infer: (operands) => {
      const [table, indices] = operands;
      expectType('GatherRows', indices, 'int32', 'int64');
      if (table.shape.length < 1 || indices.shape.length !== 1)
        refuse('GatherRows', operands, 'takes a table and a row of indices');
      return [{ elementType: table.elementType, shape: [...indices.shape, ...table.shape.slice(1)] }];
    },
    gradient: (g, { inputs: [table, indices] }) => {
      const sizes = fixedShape('GatherRows', table, 'its gradient needs a table of fixed size');
      return [scatterAddRows(zeros(table.graph, sizes), indices, g), undefined];
    },
    toOnnx: writtenAs('Gather', () => ({ axis: 0 })),
    isCheap: true,
  },
  ScatterAddRows: {
    infer: (operands) => {
      const [table, indices, updates] = operands;
      expectType('ScatterAddRows', indices, 'int32', 'int64');
      if (!sameShape(updates.shape, [...indices.shape, ...table.shape.slice(1)]))
        refuse('ScatterAddRows', operands, 'there must be one index for every update, as wide as the table');
      return [table.type];
    },
    gradient: (g, { inputs: [, indices] }) => [g, undefined, gatherRows(g, indices)],
    // Not by ScatterND: ONNX Runtime adds its rows on several threads without a lock and loses some.
    toOnnx: (onnx, { inputs: [table, indices, updates], outputs: [y] }) => {
      const otherAxes = y.shape.slice(1).map((_, axis) => axis + 1);
      const axes = integersAs(onnx, `${y.name}_axes`, otherAxes);
      const column = onnx.add('Unsqueeze', [indices, axes], {}, `${y.name}_column`);
      const shape = onnx.add('Shape', [updates], {}, `${y.name}_shape`);
      const everywhere = onnx.add('Expand', [column, shape], {}, `${y.name}_indices`);
      onnx.add('ScatterElements', [table, everywhere, updates], { axis: 0, reduction: 'add' }, y);
    },
    inPlaceOf: 0,
  },
  GatherElements: {
    infer: (operands) => {
      const [x, indices] = operands;
      expectType('GatherElements', indices, 'int32', 'int64');
      if (x.shape.length !== 2 || indices.shape.length !== 2 || x.shape[0] !== indices.shape[0])
        refuse('GatherElements', operands, 'takes a matrix and as many rows of indices');
      return [{ elementType: x.elementType, shape: indices.shape }];
    },
    gradient: (g, { inputs: [x, indices] }) => {
      const sizes = fixedShape('GatherElements', x, 'its gradient needs a fixed shape');
      return [scatterAddElements(zeros(x.graph, sizes), indices, g), undefined];
    },
    toOnnx: writtenAs('GatherElements', () => ({ axis: 1 })),
  },
  ScatterAddElements: {
    infer: (operands) => {
      const [x, indices, updates] = operands;
      expectType('ScatterAddElements', indices, 'int32', 'int64');
      if (!sameShape(indices.shape, updates.shape))
        refuse('ScatterAddElements', operands, 'there must be one index for every update');
      return [x.type];
    },
    gradient: (g, { inputs: [, indices] }) => [g, undefined, gatherElements(g, indices)],
    toOnnx: writtenAs('ScatterElements', () => ({ axis: 1, reduction: 'add' })),
    reusesInput: true,
    inPlaceOf: 0,
  },
  Zeros: {
    infer: (_, { sizes }) => [{ elementType: 'float32', shape: sizes }],
    // Filled when the graph runs: a constant would be kept in the model's file and in memory.
    toOnnx: (onnx, { parameters: { sizes }, outputs: [y] }) => {
      onnx.add('ConstantOfShape', [integersAs(onnx, `${y.name}_sizes`, sizes)], {}, y);
    },
  },
  TopK: {
    infer: ([x, k], { size }) => {
      expectType('TopK', k, 'int64');
      const available = x.shape.at(-1);
      if (typeof size === 'number' && typeof available === 'number' && (size < 1 || size > available))
        refuse('TopK', [x], `has no ${size} values along its last axis`);
      const shape = x.shape.with(-1, size);
      return [
        { elementType: x.elementType, shape },
        { elementType: 'int64', shape },
      ];
    },
    toOnnx: writtenAs('TopK', () => ({ axis: -1 })),
  },
  RotaryEmbedding: {
    infer: (operands) => {
      const [x, positions, cos, sin] = operands;
      expectType('RotaryEmbedding', positions, 'int64');
      const [width, half] = [x.shape[2], cos.shape[1]];
      const fits =
        x.shape.length === 3 &&
        typeof width === 'number' &&
        typeof half === 'number' &&
        width % (2 * half) === 0;
      if (!fits || !sameShape(cos.shape, sin.shape) || !sameShape(positions.shape, x.shape.slice(0, 2))) {
        refuse(
          'RotaryEmbedding',
          operands,
          'takes [batch, length, heads · 2r], positions [batch, length], cos and sin [positions, r]',
        );
      }
      return [x.type];
    },
    // A rotation; its transpose is the rotation back.
    gradient: (g, { inputs: [, positions, cos, sin] }) => [
      rotaryEmbedding(g, positions, cos, neg(sin)),
      undefined,
      undefined,
      undefined,
    ],
    // The halves (a, b) of every head turn by the angle of their position: (a·cos − b·sin, b·cos + a·sin).
    toOnnx: (onnx, { inputs: [x, positions, cos, sin], outputs: [y] }) => {
      const [width] = fixedSizes('RotaryEmbedding', [x], 2);
      const [half] = fixedSizes('RotaryEmbedding', [cos], 1);
      // 0 keeps the size of that axis.
      const perHead = onnx.add('Reshape', [x, onnx.int64s([0, 0, width / (2 * half), 2 * half])]);
      const lastAxis = onnx.int64s([3]);
      const part = (start: number) =>
        onnx.add('Slice', [perHead, onnx.int64s([start]), onnx.int64s([start + half]), lastAxis]);
      const [a, b] = [part(0), part(half)];
      const headAxis = onnx.int64s([2]);
      const ofPositions = (table: Value) =>
        onnx.add('Unsqueeze', [onnx.add('Gather', [table, positions], { axis: 0 }), headAxis]);
      const [cosines, sines] = [ofPositions(cos), ofPositions(sin)];
      const first = onnx.add('Sub', [onnx.add('Mul', [a, cosines]), onnx.add('Mul', [b, sines])]);
      const second = onnx.add('Add', [onnx.add('Mul', [b, cosines]), onnx.add('Mul', [a, sines])]);
      const turned = onnx.add('Concat', [first, second], { axis: 3 });
      onnx.add('Reshape', [turned, onnx.int64s([0, 0, width])], {}, y);
    },
    toOnnxRuntime: writtenAs('RotaryEmbedding', () => ({}), microsoft),
  },
} satisfies Partial<OperatorTable>;
