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
import { microsoft, type Named, type OnnxWriter } from '../onnx-writer.ts';
import { elementCount, sameShape } from '../shape.ts';
import { expectType, fixedShape, fixedSizes, refuse } from './refusals.ts';
import { asInt32, integersAs, writtenAs } from './written-as.ts';

const asRotaryEmbedding = writtenAs('RotaryEmbedding', () => ({}), microsoft);

const isZeros = ({ origin }: Value): boolean => origin.kind === 'node' && origin.node.operator === 'Zeros';

/**
 * Zeros of the shape of a table, made on the device: those of ConstantOfShape would cross the bus, or be kept there as
 * a constant.
 *
 * @param indices int32, so that ONNX Runtime cannot compute the zeros beforehand
 */
function zerosLike(onnx: OnnxWriter, { shape }: Value, indices: Named): string {
  const least = onnx.add('ReduceMin', [indices], { keepdims: 0 });
  const number = onnx.add('Cast', [least], { to: { elementType: 'float32' } });
  const zero = onnx.add('Mul', [number, onnx.float(0)]);
  return onnx.add('Expand', [zero, onnx.int64s(shape as readonly number[])]);
}

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
    // Its kernel adds in whatever order the device takes the updates, and their sum would not be the same in every
    // run. So all updates of a row are summed by a product with ones where two indices are equal; then each of them
    // writes that sum.
    toWebgpu: (onnx, { inputs: [table, indices, updates], outputs: [y] }) => {
      const shaped = (...sizes: number[]) => onnx.add('Reshape', [at, onnx.int64s(sizes)]);
      const at = asInt32(onnx, indices);
      const isSame = onnx.add('Equal', [shaped(-1, 1), shaped(1, -1)]);
      const isSameFloat = onnx.add('Cast', [isSame], { to: { elementType: 'float32' } });
      const rowSize = elementCount(table.shape.slice(1));
      const perRow = (x: Named) => onnx.add('Reshape', [x, onnx.int64s([-1, rowSize])]);
      const sums = onnx.add('MatMul', [isSameFloat, perRow(updates)]);
      const from = isZeros(table) ? zerosLike(onnx, table, at) : table;
      const sofar = onnx.add('Gather', [perRow(from), at], { axis: 0 });
      const rows = onnx.add('Add', [sofar, sums]);
      const column = onnx.add('Expand', [shaped(-1, 1), onnx.add('Shape', [rows])]);
      const whole = onnx.add('ScatterElements', [perRow(from), column, rows], { axis: 0 });
      onnx.add('Reshape', [whole, onnx.int64s(table.shape as readonly number[])], {}, y);
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
    // Summed in one order as in ScatterAddRows, by a sum over the few updates of a row that have the same index.
    toWebgpu: (onnx, { inputs: [x, indices, updates], outputs: [y] }) => {
      const at = asInt32(onnx, indices);
      const count = indices.shape[1] as number;
      const shaped = (z: Named, ...sizes: number[]) => onnx.add('Reshape', [z, onnx.int64s(sizes)]);
      const isSame = onnx.add('Equal', [shaped(at, -1, count, 1), shaped(at, -1, 1, count)]);
      const same = onnx.add('Where', [isSame, shaped(updates, -1, 1, count), onnx.float(0)]);
      const sums = onnx.add('ReduceSum', [same, onnx.int64s([-1])], { keepdims: 0 });
      const sofar = onnx.add('GatherElements', [x, at], { axis: 1 });
      onnx.add('ScatterElements', [x, at, onnx.add('Add', [sofar, sums])], { axis: 1 }, y);
    },
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
    toOnnxRuntime: asRotaryEmbedding,
    toWebgpu: asRotaryEmbedding,
  },
} satisfies Partial<OperatorTable>;
