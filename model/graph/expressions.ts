import { FuseMeshError } from '../../errors/fusemesh-error.ts';
import { type Graph, Value, type VectorJacobianProduct } from './graph.ts';
import { resolveAxis } from './operators/refusals.ts';
import type { Shape } from './shape.ts';
import type { BinaryName, InputsOf, OperatorName, OutputsOf, ParametersOf, UnaryName } from './signatures.ts';
import type { ElementType } from './tensor-type.ts';

/** An operand of an expression: a value, or a number, which stands for a float32 scalar. */
export type Operand = Value | number;

const one = <Name extends OperatorName>(
  graph: Graph,
  operator: Name,
  inputs: InputsOf<Name, Value>,
  parameters: ParametersOf<Name>,
): Value => graph.apply(operator, inputs, parameters)[0];

const unary =
  (operator: UnaryName | 'Softmax' | 'LogSoftmax') =>
  (x: Value): Value =>
    one(x.graph, operator, [x], {});

const binary =
  (operator: BinaryName | 'GreaterOrEqual') =>
  (a: Operand, b: Operand): Value => {
    const graph = typeof a === 'number' ? (typeof b === 'number' ? undefined : b.graph) : a.graph;
    if (!graph)
      throw new FuseMeshError(
        'invalid_argument',
        `${operator}: at least one operand must be a value of a graph`,
      );
    return one(graph, operator, [lift(graph, a), lift(graph, b)], {});
  };

const lift = (graph: Graph, operand: Operand): Value =>
  typeof operand === 'number' ? scalar(graph, operand) : operand;

/** A float32 constant without axes. */
export const scalar = (graph: Graph, value: number): Value =>
  graph.constant(`scalar_${value}`, 'float32', [], { kind: 'bytes', bytes: bytesOf(Float32Array.of(value)) });

/** A float32 constant from its values, row by row. */
export const floatConstant = (
  graph: Graph,
  name: string,
  shape: readonly number[],
  values: Float32Array<ArrayBuffer>,
): Value => graph.constant(name, 'float32', shape, { kind: 'bytes', bytes: bytesOf(values) });

/** Float32 zeros that are made when the graph runs. */
export const zeros = (graph: Graph, sizes: readonly number[]): Value => one(graph, 'Zeros', [], { sizes });

/** An int64 constant of rank 1, the form in which ONNX takes axes, shapes and slices. */
export const integers = (graph: Graph, values: readonly number[]): Value =>
  graph.constant(`integers_${values.join('_')}`, 'int64', [values.length], {
    kind: 'bytes',
    bytes: bytesOf(BigInt64Array.from(values, BigInt)),
  });

const bytesOf = (array: Float32Array<ArrayBuffer> | BigInt64Array<ArrayBuffer>): Uint8Array<ArrayBuffer> =>
  new Uint8Array(array.buffer, array.byteOffset, array.byteLength);

// Elementwise, with broadcasting.
export const add = binary('Add');
export const sub = binary('Sub');
export const mul = binary('Mul');
export const div = binary('Div');
export const neg = unary('Neg');
export const exp = unary('Exp');
export const log = unary('Log');
export const sqrt = unary('Sqrt');
export const sigmoid = unary('Sigmoid');
/** x · sigmoid(x), the activation in SwiGLU. */
export const silu = unary('Silu');
export const erf = unary('Erf');
export const tanh = unary('Tanh');
/** x · Φ(x) with Φ of the normal distribution (Hendrycks & Gimpel 2016, GELU). */
export const gelu = unary('Gelu');
/** GELU's approximation by tanh, which GPT-2 was trained with (gelu_new). */
export const geluTanh = unary('GeluTanh');
export const greaterOrEqual = binary('GreaterOrEqual');
/** `yes` where the condition holds, `no` elsewhere. */
export const where = (condition: Value, yes: Operand, no: Operand): Value =>
  one(condition.graph, 'Where', [condition, lift(condition.graph, yes), lift(condition.graph, no)], {});
export const cast = (x: Value, to: ElementType): Value =>
  x.elementType === to ? x : one(x.graph, 'Cast', [x], { to });

/** alpha · A·B over the last two axes, with A or B transposed there if asked; leading axes broadcast. */
export const matmul = (
  a: Value,
  b: Value,
  {
    transposeA = false,
    transposeB = false,
    alpha = 1,
  }: { transposeA?: boolean; transposeB?: boolean; alpha?: number } = {},
): Value => one(a.graph, 'MatMul', [a, b], { transposeA, transposeB, alpha });

/** x·Wᵀ: a linear layer as Hugging Face stores it. x [rows, in], weight [out, in] → [rows, out]. */
export const linear = (x: Value, weight: Value): Value => matmul(x, weight, { transposeB: true });

/** x·Wᵀ with a matrix in blocks that have a scale and a zero point each. */
export const linearOfBlocks = (
  x: Value,
  { codes, scales, zeroPoints }: { codes: Value; scales: Value; zeroPoints?: Value | undefined },
  blocks: ParametersOf<'MatMulOfBlocks'>,
): Value =>
  one(x.graph, 'MatMulOfBlocks', zeroPoints ? [x, codes, scales, zeroPoints] : [x, codes, scales], blocks);

/** x·Wᵀ with a matrix of codes of a table. */
export const linearOfTable = (
  x: Value,
  { codes, largest }: { codes: Value; largest: Value },
  table: ParametersOf<'MatMulOfTable'>,
): Value => one(x.graph, 'MatMulOfTable', [x, codes, largest], table);

// Reductions.
export const sum = (x: Value, axes: readonly number[], { keepAxes = false } = {}): Value =>
  axes.length === 0
    ? x
    : one(x.graph, 'ReduceSum', [x], {
        axes: axes.map((axis) => resolveAxis('ReduceSum', x, axis)),
        keepAxes,
      });
export const sumAll = (x: Value): Value =>
  sum(
    x,
    x.shape.map((_, axis) => axis),
  );
export const mean = (x: Value, axis: number, { keepAxes = false } = {}): Value =>
  one(x.graph, 'ReduceMean', [x], {
    axes: [resolveAxis('ReduceMean', x, axis)],
    keepAxes,
  });
export const max = (x: Value, axis: number, { keepAxes = false } = {}): Value =>
  one(x.graph, 'ReduceMax', [x], {
    axes: [resolveAxis('ReduceMax', x, axis)],
    keepAxes,
  });
/** Softmax over the last axis. */
export const softmax = unary('Softmax');
/** Logarithm of softmax over the last axis: logits → log-probabilities. */
export const logSoftmax = unary('LogSoftmax');

// Shape.
export const reshape = (x: Value, shape: Shape): Value =>
  one(x.graph, 'Reshape', [x, inferringShapeTensor(x.graph, shape)], { shape });
export const transpose = (x: Value, permutation: readonly number[]): Value =>
  one(x.graph, 'Transpose', [x], { permutation });
/** Stretches axes of size 1. */
export const expand = (x: Value, shape: Shape): Value =>
  one(x.graph, 'Expand', [x, shapeTensor(x.graph, shape)], { shape });
/** x[…, start:end, …] along one axis. */
export const slice = (x: Value, axis: number, start: number, end: number): Value =>
  one(x.graph, 'Slice', [x], { axis: resolveAxis('Slice', x, axis), start, end });
/** x with `before` zeros in front of it and `after` behind it along one axis. */
export const pad = (x: Value, axis: number, before: number, after: number): Value =>
  before === 0 && after === 0
    ? x
    : one(x.graph, 'Pad', [x], { axis: resolveAxis('Pad', x, axis), before, after });
/** Joins parts along an axis; `size` names the joined size where a part's size is open. */
export const concat = (parts: readonly [Value, ...Value[]], axis: number, size?: string): Value =>
  one(parts[0].graph, 'Concat', parts, {
    axis: resolveAxis('Concat', parts[0], axis),
    size,
  });

// Indexing.
/** Rows of a table: table [rows, …], indices int [n] → [n, …]. */
export const gatherRows = (table: Value, indices: Value): Value =>
  one(table.graph, 'GatherRows', [table, indices], {});
/** A table [rows, …] with update i of [n, …] added to its row indices[i], int [n]. */
export const scatterAddRows = (table: Value, indices: Value, updates: Value): Value =>
  one(table.graph, 'ScatterAddRows', [table, indices, updates], {});
/**
 * Rows in another order: gatherRows(x, indices), where every row of x that needs a gradient is taken once, so
 * that the gradient is a gather too.
 *
 * @param inverse int [rows of x]: the row of the result that each row of x has become
 */
export const permuteRows = (x: Value, indices: Value, inverse: Value): Value =>
  withGradient(gatherRows(x, indices), [x], (g) => [gatherRows(g, inverse)]);
/**
 * Choices in the order of the experts that are chosen.
 *
 * @param experts int64 [rows, k]: those that each row is given to
 * @param count of all experts
 * @returns int64 [rows · k]: of which row each choice is, and where the choices, row by row, stand; int64 [count]: how
 *   many each expert has
 */
export const orderByExpert = (
  experts: Value,
  count: number,
): { rows: Value; places: Value; counts: Value } => {
  const [rows, places, counts] = experts.graph.apply('OrderByExpert', [experts], { experts: count });
  return { rows, places, counts };
};
/**
 * Parts of x [rows, …], one after the other.
 *
 * @param counts int64 [parts]: their rows
 * @param sizes a name for each of these, which the graph has nowhere else
 */
export const splitRows = (x: Value, counts: Value, sizes: readonly string[]): readonly Value[] =>
  x.graph.apply('SplitRows', [x, counts], { sizes });
/** x[i, indices[i, j]]: x [n, v], indices int [n, k] → [n, k]. */
export const gatherElements = (x: Value, indices: Value): Value =>
  one(x.graph, 'GatherElements', [x, indices], {});
/** x with updates [n, k] added at x[i, indices[i, j]]. */
export const scatterAddElements = (x: Value, indices: Value, updates: Value): Value =>
  one(x.graph, 'ScatterAddElements', [x, indices, updates], {});
/**
 * The k largest along the last axis in falling order, and their indices (int64). k is a number, or an int64
 * input [1] with `size` as the name of that axis.
 */
export const topK = (
  x: Value,
  k: number | { value: Value; size: string },
): { values: Value; indices: Value } => {
  const [count, size] = typeof k === 'number' ? [integers(x.graph, [k]), k] : [k.value, k.size];
  const [values, indices] = x.graph.apply('TopK', [x, count], { size });
  return { values, indices };
};

// Transformers.
/** x / √(mean(x²) + epsilon) · weight over the last axis (Zhang & Sennrich 2019, RMSNorm). */
export const rmsNorm = (x: Value, weight: Value, epsilon: number): Value =>
  one(x.graph, 'RmsNorm', [x, weight], { epsilon });
/** (x − mean(x)) / √(variance(x) + epsilon) · weight + bias over the last axis (Ba et al. 2016). */
export const layerNorm = (x: Value, weight: Value, bias: Value | undefined, epsilon: number): Value =>
  one(x.graph, 'LayerNorm', bias ? [x, weight, bias] : [x, weight], { epsilon });
/**
 * Rotary position embedding (Su et al. 2021), halves rotated as Hugging Face does.
 * x [batch, length, heads · 2r], positions int64 [batch, length], cos and sin [positions, r].
 */
export const rotaryEmbedding = (x: Value, positions: Value, cos: Value, sin: Value): Value =>
  one(x.graph, 'RotaryEmbedding', [x, positions, cos, sin], {});

/**
 * Attention in which only the scores of some queries stand in memory at a time.
 *
 * @param queries [rows, length, heads · head size], documents one after the other in each row
 * @param keys [rows, key-value heads, length, head size]; so are the values
 * @returns [rows, length, heads · head size]
 */
export const attentionInParts = (
  queries: Value,
  keys: Value,
  values: Value,
  { positions, bias, ...parts }: AttentionInputs & ParametersOf<'AttentionInParts'>,
): Value =>
  one(
    queries.graph,
    'AttentionInParts',
    bias ? [queries, keys, values, positions, bias] : [queries, keys, values, positions],
    parts,
  );

interface AttentionInputs {
  /** int64 [rows, length], 0, 1, 2, … in each document. */
  readonly positions: Value;
  /** Added to the scores of each key, [rows, heads, length]. */
  readonly bias?: Value | undefined;
}

/**
 * Attention to keys and values that lie in a cache, where those of the input are written too. Past and present may be
 * the same memory.
 */
export const cachedAttention = (
  inputs: InputsOf<'CachedAttention', Value>,
  scores: ParametersOf<'CachedAttention'>,
): OutputsOf<'CachedAttention', Value> => inputs[0].graph.apply('CachedAttention', inputs, scores);

/**
 * `output`, with `rule` in place of the rules of the operators between `inputs` and it: for functions
 * whose gradient is shorter as a formula than as the sum of its parts (jax.custom_vjp).
 */
export const withGradient = (output: Value, inputs: readonly Value[], rule: VectorJacobianProduct): Value =>
  new Value(output.graph, output.name, output.type, output.origin, { inputs, rule });

/** A shape as an int64 tensor; open sizes are read off the graph's inputs. */
function shapeTensor(graph: Graph, shape: Shape): Value {
  if (shape.every((size) => typeof size === 'number')) return integers(graph, shape);
  const parts = shape.map((size) =>
    typeof size === 'number' ? integers(graph, [size]) : sizeOf(graph, size),
  );
  return concat(parts as [Value, ...Value[]], 0);
}

/** The same for Reshape, which infers one open size that is given as −1. */
function inferringShapeTensor(graph: Graph, shape: Shape): Value {
  const inferred = shape.findLastIndex((size) => typeof size === 'string');
  return shapeTensor(
    graph,
    shape.map((size, axis) => (axis === inferred ? -1 : size)),
  );
}

/** The size '2*batch*length' as an int64 tensor [1]. */
function sizeOf(graph: Graph, dimension: string): Value {
  const factors = dimension
    .split('*')
    .map((part) => (/^\d+$/.test(part) ? integers(graph, [Number(part)]) : namedSize(graph, part)));
  return factors.reduce((left, right) => one(graph, 'Mul', [left, right], {}));
}

function namedSize(graph: Graph, name: string): Value {
  for (const input of graph.inputs) {
    const axis = input.shape.indexOf(name);
    if (axis >= 0) return one(graph, 'Shape', [input], { start: axis, end: axis + 1 });
  }
  throw new FuseMeshError('invalid_argument', `no input of the graph has the size "${name}"`);
}
