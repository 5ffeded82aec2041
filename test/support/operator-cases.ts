import * as e from '../../model/graph/expressions.ts';
import type { Value } from '../../model/graph/graph.ts';
import type { Sample } from './finite-differences.ts';

/** A function of one operator, with inputs to try it on. */
export interface OperatorCase {
  readonly operator: string;
  readonly what?: string;
  readonly f: (...inputs: Value[]) => Value;
  readonly samples: readonly Sample[];
}

const matrix: Sample = { shape: [3, 4] };
const row: Sample = { shape: [4] };
const column: Sample = { shape: [3, 1] };
const positive: Sample = { shape: [3, 4], low: 0.5, high: 2 };
const indices: Sample = { shape: [5], integers: [2, 0, 2, 1, 2] };
const picks: Sample = { shape: [3, 2], integers: [0, 3, 1, 1, 2, 0] };

/** Queries of four heads, keys and values of two. */
const heads: readonly Sample[] = [{ shape: [2, 5, 12] }, { shape: [2, 2, 5, 3] }, { shape: [2, 2, 5, 3] }];

/** One case at least for every operator that has a gradient. */
export const operatorCases: readonly OperatorCase[] = [
  { operator: 'Add', f: e.add, samples: [matrix, row] },
  { operator: 'Add', what: 'both stretched', f: e.add, samples: [column, row] },
  { operator: 'Sub', f: e.sub, samples: [column, matrix] },
  { operator: 'Mul', f: e.mul, samples: [matrix, column] },
  { operator: 'Mul', what: 'by itself', f: (x) => e.mul(x, x), samples: [matrix] },
  { operator: 'Div', f: e.div, samples: [matrix, { shape: [4], low: 0.5, high: 2 }] },
  { operator: 'Neg', f: e.neg, samples: [matrix] },
  { operator: 'Exp', f: e.exp, samples: [matrix] },
  { operator: 'Log', f: e.log, samples: [positive] },
  { operator: 'Sqrt', f: e.sqrt, samples: [positive] },
  { operator: 'Sigmoid', f: e.sigmoid, samples: [matrix] },
  { operator: 'Silu', f: e.silu, samples: [matrix] },
  { operator: 'Erf', f: e.erf, samples: [matrix] },
  { operator: 'Tanh', f: e.tanh, samples: [matrix] },
  { operator: 'Gelu', f: e.gelu, samples: [matrix] },
  { operator: 'GeluTanh', f: e.geluTanh, samples: [matrix] },
  { operator: 'LayerNorm', f: (x, w, b) => e.layerNorm(x, w, b, 1e-5), samples: [matrix, row, row] },
  {
    operator: 'LayerNorm',
    what: 'without bias, of three axes',
    f: (x, w) => e.layerNorm(x, w, undefined, 1e-5),
    samples: [{ shape: [2, 3, 4] }, row],
  },
  {
    operator: 'Where',
    f: (x, y) =>
      e.where(
        e.greaterOrEqual(e.floatConstant(x.graph, 'signs', [4], Float32Array.of(1, -1, 1, -1)), 0),
        x,
        y,
      ),
    samples: [matrix, column],
  },
  { operator: 'Cast', f: (x) => e.cast(x, 'float32'), samples: [matrix] },
  { operator: 'MatMul', f: (a, b) => e.matmul(a, b), samples: [matrix, { shape: [4, 2] }] },
  {
    operator: 'MatMul',
    what: 'A transposed, scaled',
    f: (a, b) => e.matmul(a, b, { transposeA: true, alpha: 0.5 }),
    samples: [matrix, { shape: [3, 2] }],
  },
  {
    operator: 'MatMul',
    what: 'B transposed',
    f: (a, b) => e.matmul(a, b, { transposeB: true }),
    samples: [matrix, { shape: [2, 4] }],
  },
  {
    operator: 'MatMul',
    what: 'both transposed',
    f: (a, b) => e.matmul(a, b, { transposeA: true, transposeB: true }),
    samples: [matrix, { shape: [2, 3] }],
  },
  {
    operator: 'MatMul',
    what: 'in batches',
    f: (a, b) => e.matmul(a, b, { transposeB: true }),
    samples: [{ shape: [2, 3, 4] }, { shape: [2, 2, 4] }],
  },
  {
    operator: 'MatMul',
    what: 'one matrix for a batch',
    f: (a, b) => e.matmul(a, b),
    samples: [{ shape: [2, 3, 4] }, { shape: [4, 2] }],
  },
  {
    operator: 'MatMul',
    what: 'a stretched batch',
    f: (a, b) => e.matmul(a, b),
    samples: [{ shape: [2, 3, 3, 4] }, { shape: [2, 1, 4, 2] }],
  },
  { operator: 'RmsNorm', f: (x, w) => e.rmsNorm(x, w, 1e-5), samples: [matrix, row] },
  {
    operator: 'RmsNorm',
    what: 'rank 3',
    f: (x, w) => e.rmsNorm(x, w, 1e-5),
    samples: [{ shape: [2, 3, 4] }, row],
  },
  { operator: 'ReduceSum', f: (x) => e.sum(x, [0]), samples: [matrix] },
  {
    operator: 'ReduceSum',
    what: 'axes kept',
    f: (x) => e.sum(x, [0, 2], { keepAxes: true }),
    samples: [{ shape: [2, 3, 2] }],
  },
  { operator: 'ReduceMean', f: (x) => e.mean(x, -1), samples: [matrix] },
  { operator: 'Softmax', f: e.softmax, samples: [matrix] },
  { operator: 'LogSoftmax', f: e.logSoftmax, samples: [matrix] },
  { operator: 'Reshape', f: (x) => e.reshape(x, [2, 6]), samples: [matrix] },
  { operator: 'Transpose', f: (x) => e.transpose(x, [2, 0, 1]), samples: [{ shape: [2, 3, 2] }] },
  { operator: 'Expand', f: (x) => e.expand(x, [2, 3, 4]), samples: [column] },
  { operator: 'Slice', f: (x) => e.slice(x, -1, 1, 3), samples: [matrix] },
  { operator: 'Pad', f: (x) => e.pad(x, 1, 2, 1), samples: [matrix] },
  { operator: 'Concat', f: (x, y) => e.concat([x, y, x], 1), samples: [matrix, column] },
  { operator: 'GatherRows', f: e.gatherRows, samples: [matrix, indices] },
  {
    operator: 'ScatterAddRows',
    f: e.scatterAddRows,
    samples: [{ shape: [3, 2] }, indices, { shape: [5, 2] }],
  },
  { operator: 'GatherElements', f: e.gatherElements, samples: [matrix, picks] },
  { operator: 'ScatterAddElements', f: e.scatterAddElements, samples: [matrix, picks, { shape: [3, 2] }] },
  {
    operator: 'RotaryEmbedding',
    f: (x, positions) => {
      const table = (name: string, of: (angle: number) => number) =>
        e.floatConstant(
          x.graph,
          name,
          [4, 2],
          Float32Array.from({ length: 8 }, (_, i) => of(i / 3)),
        );
      return e.rotaryEmbedding(x, positions, table('cos', Math.cos), table('sin', Math.sin));
    },
    samples: [{ shape: [2, 3, 8] }, { shape: [2, 3], integers: [0, 1, 2, 3, 1, 0], type: 'int64' }],
  },
  {
    operator: 'AttentionInParts',
    what: 'of rows, in parts of two',
    f: (q, k, v, positions) =>
      e.attentionInParts(q, k, v, { positions, scale: 0.7, scoreBytes: 1, fewestQueries: 2, packed: false }),
    samples: [...heads, { shape: [2, 5], integers: [0, 1, 2, 3, 4, 0, 1, 2, 3, 4], type: 'int64' }],
  },
  {
    operator: 'AttentionInParts',
    what: 'of documents, with a bias',
    f: (q, k, v, positions) =>
      e.attentionInParts(q, k, v, {
        positions,
        bias: e.floatConstant(
          q.graph,
          'bias',
          [2, 4, 5],
          Float32Array.from({ length: 40 }, (_, i) => Math.sin(i)),
        ),
        scale: 0.7,
        scoreBytes: 1,
        fewestQueries: 2,
        packed: true,
      }),
    samples: [...heads, { shape: [2, 5], integers: [0, 1, 0, 1, 2, 0, 0, 1, 2, 0], type: 'int64' }],
  },
  {
    operator: 'AttentionInParts',
    what: 'of rows, in a window, capped',
    f: (q, k, v, positions) =>
      e.attentionInParts(q, k, v, {
        positions,
        scale: 0.7,
        softCap: 0.8,
        window: 2,
        scoreBytes: 1,
        fewestQueries: 2,
        packed: false,
      }),
    samples: [...heads, { shape: [2, 5], integers: [0, 1, 2, 3, 4, 0, 1, 2, 3, 4], type: 'int64' }],
  },
];
