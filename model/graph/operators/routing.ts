import type { OperatorTable, Value } from '../graph.ts';
import type { OnnxWriter } from '../onnx-writer.ts';
import { product, sameShape } from '../shape.ts';
import { expectType, fixedSizes, refuse } from './refusals.ts';

/**
 * x, of whose shape ONNX Runtime knows nothing beforehand. Whenever it plans where a value of known rank goes, it looks
 * at all values that nobody needs any more; of those with an open size it can use none, and with thousands of experts
 * it would look at them for minutes: 512 took 4.6 seconds of a core, and the time grows with the square.
 *
 * @param counts int64, known only when the graph runs
 */
function ofUnknownRank(onnx: OnnxWriter, x: Value, counts: Value): string {
  const zero = onnx.add('Mul', [onnx.add('ReduceSum', [counts], { keepdims: 1 }), onnx.int64s([0])]);
  const rank = onnx.add('Add', [zero, onnx.int64s([x.shape.length])]);
  const shape = onnx.add('Slice', [onnx.add('Shape', [x]), onnx.int64s([0]), rank]);
  return onnx.add('Reshape', [x, shape]);
}

/** Rows are given to experts, each of which takes its own rows alone. Neither operator has a gradient. */
export const routingOperators = {
  OrderByExpert: {
    infer: ([experts], { experts: count }) => {
      expectType('OrderByExpert', experts, 'int64');
      if (experts.shape.length !== 2) refuse('OrderByExpert', [experts], 'takes [rows, k]');
      const choices = { elementType: 'int64', shape: [product(experts.shape)] } as const;
      return [choices, choices, { elementType: 'int64', shape: [count] }];
    },
    toOnnx: (onnx, { inputs: [experts], outputs: [rows, places, counts], parameters }) => {
      const [perRow] = fixedSizes('OrderByExpert', [experts], 1);
      const flat = onnx.add('Reshape', [experts, onnx.int64s([-1])]);
      const all = onnx.add('Shape', [flat]);
      // Where the smallest, the next one and so on stand.
      const sorted = (x: string, indices: string) => {
        onnx.add('TopK', [x, all], { axis: 0, largest: 0 }, [`${indices}/values`, indices]);
        return indices;
      };
      const order = sorted(flat, `${rows.name}/order`);
      onnx.add('Div', [order, onnx.int64s([perRow])], {}, rows);
      sorted(order, places.name);
      const numbers = onnx.int64s(Array.from({ length: parameters.experts }, (_, expert) => expert));
      const column = onnx.add('Reshape', [flat, onnx.int64s([-1, 1])]);
      const isOf = onnx.add('Cast', [onnx.add('Equal', [column, numbers])], { to: { elementType: 'int32' } });
      const sums = onnx.add('ReduceSum', [isOf, onnx.int64s([0])], { keepdims: 0 });
      onnx.add('Cast', [sums], { to: { elementType: 'int64' } }, counts);
    },
  },
  SplitRows: {
    infer: (operands, { sizes }) => {
      const [x, counts] = operands;
      expectType('SplitRows', counts, 'int64');
      if (!sameShape(counts.shape, [sizes.length]))
        refuse('SplitRows', operands, 'takes a count for each part');
      return sizes.map((size) => ({ elementType: x.elementType, shape: x.shape.with(0, size) }));
    },
    toOnnx: (onnx, { inputs: [x, counts], outputs }) => {
      onnx.add('Split', [ofUnknownRank(onnx, x, counts), counts], { axis: 0 }, outputs);
    },
  },
} satisfies Partial<OperatorTable>;
