import { fromBinary } from '@bufbuild/protobuf';
import fc from 'fast-check';
import { ModelProtoSchema } from 'onnx-buf';
import { describe, expect, it } from 'vitest';
import { createRandom } from '../../test/support/random.ts';
import * as e from '../graph/expressions.ts';
import { accumulate } from '../graph/gradients.ts';
import type { Value } from '../graph/graph.ts';
import { cachedAttentionOperators } from '../graph/operators/cached-attention.ts';
import { quantizedOperators } from '../graph/operators/quantized.ts';
import { createGraph, operators } from '../graph/operators.ts';
import type { OperatorName } from '../graph/signatures.ts';
import { openSession } from '../runtime/session.ts';
import type { HostTensor } from '../runtime/tensor.ts';
import { type Dialect, emitModel } from './emit.ts';

/** Random inputs of a graph under test, each declared and filled at once. */
class RandomInputs {
  readonly graph = createGraph();
  readonly feeds: Record<string, HostTensor> = {};
  readonly #random: () => number;

  constructor(seed: number) {
    this.#random = createRandom(seed);
  }

  floats(shape: readonly number[], low = -4, high = 4): Value {
    const data = Float32Array.from({ length: count(shape) }, () => low + (high - low) * this.#random());
    return this.#declare('float32', { shape, data });
  }

  /** int32 of 0 to `below` − 1. */
  indices(shape: readonly number[], below: number): Value {
    const data = Int32Array.from({ length: count(shape) }, () => Math.floor(below * this.#random()));
    return this.#declare('int32', { shape, data });
  }

  #declare(type: 'float32' | 'int32', tensor: HostTensor): Value {
    const value = this.graph.input(`x${this.graph.inputs.length}`, type, tensor.shape);
    this.feeds[value.name] = tensor;
    return value;
  }
}

const count = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);

/** What to compute from inputs of random sizes; a primitive of several outputs gives them all. */
type Case = (x: RandomInputs, a: number, b: number, c: number) => Value | readonly Value[];

/** Attention of a rows of b tokens, in parts of one query and more; its cotangents too where it has one. */
const attention =
  (
    parts: Pick<
      Parameters<typeof e.attentionInParts>[3],
      'scoreBytes' | 'packed' | 'count' | 'softCap' | 'window'
    >,
  ): Case =>
  (x, a, b, c) => {
    const [queries, cotangent] = [x.floats([a, b, 4 * c]), x.floats([a, b, 4 * c])];
    const [keys, values] = [x.floats([a, 2, b, c]), x.floats([a, 2, b, c])];
    const positions = x.graph.constant('positions', 'int64', [a, b], {
      kind: 'bytes',
      bytes: new Uint8Array(BigInt64Array.from({ length: a * b }, (_, i) => BigInt(i % b)).buffer),
    });
    const parameters = { ...parts, scale: 0.5, fewestQueries: 1 };
    const mixed = e.attentionInParts(queries, keys, values, { positions, ...parameters });
    const inputs = [queries, keys, values, positions, mixed, cotangent] as const;
    return [mixed, ...x.graph.apply('AttentionInPartsGradient', inputs, parameters)];
  };

const unary =
  (f: (x: Value) => Value, low?: number): Case =>
  (x, a, b) =>
    f(x.floats([a, b], low));
const binary =
  (f: (x: Value, y: Value) => Value): Case =>
  (x, a, b) =>
    f(x.floats([a, b]), x.floats([b], 0.5));
/** A product whose factors stand transposed as the options say. */
const product =
  (options: NonNullable<Parameters<typeof e.matmul>[2]>, ...batch: readonly number[]): Case =>
  (x, a, b, c) =>
    e.matmul(
      x.floats([...batch, ...(options.transposeA ? [b, a] : [a, b])]),
      x.floats(options.transposeB ? [c, b] : [b, c]),
      options,
    );

/** Operators that ONNX Runtime alone has. */
type WithoutStandard = keyof typeof quantizedOperators | keyof typeof cachedAttentionOperators;

const cases: Readonly<Record<Exclude<OperatorName, WithoutStandard>, readonly Case[]>> = {
  AttentionInParts: [
    attention({ scoreBytes: 1, packed: false }),
    attention({ scoreBytes: 1, packed: false, count: 3 }),
    attention({ scoreBytes: 1, packed: false, softCap: 2, window: 3 }),
  ],
  AttentionInPartsGradient: [
    attention({ scoreBytes: 100, packed: true }),
    attention({ scoreBytes: 100, packed: true, count: 2 }),
    attention({ scoreBytes: 100, packed: true, softCap: 2, window: 2 }),
    attention({ scoreBytes: 100, packed: true, count: 2, softCap: 2, window: 2 }),
  ],
  Add: [binary(e.add)],
  Sub: [binary(e.sub)],
  Mul: [binary(e.mul)],
  Div: [binary(e.div)],
  Neg: [unary(e.neg)],
  Exp: [unary(e.exp)],
  Log: [unary(e.log, 0.1)],
  Sqrt: [unary(e.sqrt, 0)],
  Sigmoid: [unary(e.sigmoid)],
  Silu: [unary(e.silu)],
  Erf: [unary(e.erf)],
  Tanh: [unary(e.tanh)],
  Gelu: [unary(e.gelu)],
  GeluTanh: [unary(e.geluTanh)],
  GreaterOrEqual: [binary((x, y) => e.cast(e.greaterOrEqual(x, y), 'float32'))],
  Where: [binary((x, y) => e.where(e.greaterOrEqual(x, 0), x, y))],
  Cast: [unary((x) => e.cast(e.cast(x, 'float16'), 'float32'))],
  MatMul: [
    product({}),
    product({ alpha: 0.5 }),
    product({ transposeA: true }),
    product({ transposeB: true, alpha: 2 }, 3),
    product({ transposeA: true, transposeB: true }, 2, 2),
  ],
  MatMulAdd: [
    (x, a, b, c) => accumulate(x.floats([a, b]), e.matmul(x.floats([a, c]), x.floats([c, b]), { alpha: 2 })),
    (x, a, b, c) =>
      accumulate(
        x.floats([a, b]),
        e.matmul(x.floats([c, a]), x.floats([b, c]), { transposeA: true, transposeB: true }),
      ),
  ],
  RmsNorm: [
    (x, a, b, c) => x.graph.apply('RmsNorm', [x.floats([a, b, c]), x.floats([c])], { epsilon: 1e-2 }),
  ],
  LayerNorm: [
    (x, a, b) => x.graph.apply('LayerNorm', [x.floats([a, b]), x.floats([b])], { epsilon: 1e-2 }),
    (x, a, b, c) => e.layerNorm(x.floats([a, b, c]), x.floats([c]), x.floats([c]), 1e-2),
  ],
  ReduceSum: [(x, a, b) => e.sum(x.floats([a, b]), [0], { keepAxes: true })],
  ReduceMean: [(x, a, b) => e.mean(x.floats([a, b]), -1)],
  ReduceMax: [(x, a, b) => e.max(x.floats([a, b]), -1, { keepAxes: true })],
  Softmax: [unary(e.softmax)],
  LogSoftmax: [unary(e.logSoftmax)],
  Reshape: [(x, a, b) => e.reshape(x.floats([a, b]), [b, a])],
  Transpose: [(x, a, b, c) => e.transpose(x.floats([a, b, c]), [2, 0, 1])],
  Expand: [(x, a, b, c) => e.expand(x.floats([b, 1]), [a, b, c])],
  Slice: [(x, a, b) => e.slice(x.floats([a + 2, b]), 0, 1, a + 1)],
  Pad: [(x, a, b, c) => e.pad(x.floats([a, b]), 1, c, 2)],
  Concat: [(x, a, b, c) => e.concat([x.floats([a, b]), x.floats([a, c])], 1)],
  Shape: [
    (x, a, b) => e.cast(x.graph.apply('Shape', [x.floats([a, b])], { start: 0, end: 2 })[0], 'float32'),
  ],
  GatherRows: [(x, a, b, c) => e.gatherRows(x.floats([a, b]), x.indices([c], a))],
  ScatterAddRows: [(x, a, b, c) => e.scatterAddRows(x.floats([a, b]), x.indices([c], a), x.floats([c, b]))],
  GatherElements: [(x, a, b, c) => e.gatherElements(x.floats([a, b]), x.indices([a, c], b))],
  ScatterAddElements: [
    (x, a, b, c) => e.scatterAddElements(x.floats([a, b]), x.indices([a, c], b), x.floats([a, c])),
  ],
  OrderByExpert: [
    (x, a, b, c) => {
      const { rows, places, counts } = e.orderByExpert(e.cast(x.indices([a, b], c), 'int64'), c);
      // Among choices of one expert, the order is the runtime's own: whose they are in the order of rows is not.
      const whose = e.gatherRows(e.cast(rows, 'float32'), places);
      return [whose, e.cast(counts, 'float32')];
    },
  ],
  SplitRows: [
    (x, a, b, c) => {
      const { rows, places, counts } = e.orderByExpert(e.cast(x.indices([a, b], c + 1), 'int64'), c + 1);
      const sizes = Array.from({ length: c + 1 }, (_, expert) => `expert_${expert}`);
      const parts = e.splitRows(e.gatherRows(x.floats([a, 2]), rows), counts, sizes);
      const scaled = parts.map((part, expert) => e.mul(part, expert + 1));
      return e.gatherRows(e.concat(scaled as [Value, ...Value[]], 0, 'all'), places);
    },
  ],
  Zeros: [(x, a, b) => e.add(x.graph.apply('Zeros', [], { sizes: [a, b] })[0], x.floats([b]))],
  TopK: [
    (x, a, b) => {
      const { values, indices } = e.topK(x.floats([a, b]), b);
      return [values, e.cast(indices, 'float32')];
    },
  ],
  RotaryEmbedding: [
    (x, a, b, c) =>
      e.rotaryEmbedding(
        x.floats([a, b, 3 * 2 * c]),
        e.cast(x.indices([a, b], 9), 'int64'),
        x.floats([9, c]),
        x.floats([9, c]),
      ),
  ],
};

/** All operators of ONNX's operator set 18 that a primitive may become (onnx.ai/onnx/operators). */
const standard = new Set([
  ...['Add', 'Cast', 'Concat', 'Constant', 'ConstantOfShape', 'Div', 'Erf', 'Exp', 'Expand', 'Gather'],
  ...[
    'Equal',
    'GatherElements',
    'GreaterOrEqual',
    'Identity',
    'LayerNormalization',
    'Log',
    'LogSoftmax',
    'Loop',
    'MatMul',
    'Max',
  ],
  ...[
    'Mul',
    'Neg',
    'Reciprocal',
    'Gemm',
    'Pad',
    'ReduceMax',
    'ReduceMean',
    'ReduceSum',
    'Reshape',
    'ScatterElements',
    'Shape',
    'Sigmoid',
  ],
  ...['Slice', 'Softmax', 'Split', 'Sqrt', 'Sub', 'Tanh', 'TopK', 'Transpose', 'Unsqueeze', 'Where'],
]);

async function run(model: Uint8Array, feeds: RandomInputs['feeds']): Promise<number[]> {
  const session = await openSession(model, { threads: 1 });
  const results = await session.run(feeds);
  await session.close();
  return Object.values(results).flatMap((data) => Array.from(data, Number));
}

/** Runs cases of random sizes in a dialect, and compares with the numbers of `onnxruntime`. */
async function compare(
  dialect: Dialect,
  builds: readonly Case[],
  check: (model: Uint8Array) => void = () => {},
): Promise<void> {
  const size = fc.integer({ min: 1, max: 5 });
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...builds), fc.nat(), size, size, size, async (build, seed, a, b, c) => {
      const inputs = new RandomInputs(seed);
      const outputs = Object.fromEntries([build(inputs, a, b, c)].flat().map((value, i) => [`y${i}`, value]));
      const model = emitModel(outputs, { dialect });
      check(model);
      const actual = await run(model, inputs.feeds);
      const expected = await run(emitModel(outputs), inputs.feeds);
      expect(actual).toHaveLength(expected.length);
      actual.forEach((value, i) => {
        expect(Math.abs(value - expected[i])).toBeLessThan(1e-5 * Math.max(1, Math.abs(expected[i])));
      });
    }),
    { numRuns: 25 },
  );
}

describe('the standard dialect', () => {
  it.each(Object.entries(cases))(
    "gives ONNX Runtime's numbers in standard operators: %s",
    async (_, builds) => {
      await compare('standard', builds, (model) => {
        const { opsetImport, graph } = fromBinary(ModelProtoSchema, model);
        expect(opsetImport).toMatchObject([{ domain: '', version: 18n }]);
        for (const { domain, opType } of graph!.node) {
          expect(domain).toBe('');
          expect(standard).toContain(opType);
        }
        expect(Buffer.from(model).includes('com.microsoft')).toBe(false);
      });
    },
  );

  it('covers every primitive but those that ONNX Runtime alone has', () => {
    const without = { ...quantizedOperators, ...cachedAttentionOperators };
    const covered = [...Object.keys(cases), ...Object.keys(without)];
    expect(covered.sort()).toEqual(Object.keys(operators).sort());
  });
});

describe('the dialect webgpu', () => {
  it.each(Object.entries(cases))(
    "gives ONNX Runtime's numbers, on its processor too: %s",
    async (_, builds) => {
      await compare('webgpu', builds);
    },
  );

  it('leaves out what nobody reads, which ONNX Runtime would compute', () => {
    const graph = createGraph();
    const table = graph.input('table', 'float32', [5, 4]);
    const normed = e.rmsNorm(table, graph.input('weight', 'float32', [4]), 1e-5);
    const zeros = e.zeros(graph, [5, 4]);
    const sums = e.scatterAddRows(
      zeros,
      graph.input('indices', 'int32', ['n']),
      graph.input('rows', 'float32', ['n', 4]),
    );
    const operatorsOf = (value: Value) =>
      fromBinary(ModelProtoSchema, emitModel({ [value.name]: value }, { dialect: 'webgpu' })).graph!.node.map(
        ({ opType }) => opType,
      );
    expect(operatorsOf(normed)).toEqual(['SimplifiedLayerNormalization']);
    expect(operatorsOf(sums)).not.toContain('ConstantOfShape');
  });
});
