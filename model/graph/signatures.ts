import type { Dimension, Shape } from './shape.ts';
import type { ElementType } from './tensor-type.ts';

/** What an operator takes and gives. */
interface Signature<
  Inputs extends readonly unknown[],
  Outputs extends readonly unknown[],
  Parameters = None,
> {
  readonly inputs: Inputs;
  readonly outputs: Outputs;
  readonly parameters: Parameters;
}

/** No parameters: an object without keys. */
export type None = Readonly<Record<string, never>>;

type Unary<T, Parameters = None> = Signature<readonly [x: T], readonly [y: T], Parameters>;
type Binary<T> = Signature<readonly [a: T, b: T], readonly [y: T]>;

interface Transposition {
  readonly transposeA: boolean;
  readonly transposeB: boolean;
  readonly alpha: number;
}

interface Reduction {
  /** Not negative. */
  readonly axes: readonly number[];
  /** Leaves the reduced axes in the shape, with size 1. */
  readonly keepAxes: boolean;
}

export interface AttentionParts {
  /** The most bytes of the scores of one part. */
  readonly scoreBytes: number;
  /** Queries that a part has in each row at least, even where their scores take more. */
  readonly fewestQueries: number;
  /**
   * How many parts there are, in place of the two numbers above: for the dialect webgpu, which writes them one after
   * the other, because ONNX Runtime carries what a loop computes through the host.
   */
  readonly count?: number | undefined;
  /** Whether a row may have several documents, one after the other. */
  readonly packed: boolean;
}

export interface AttentionScores {
  /** Factor on the products of queries and keys. */
  readonly scale: number;
  /** c: a score s becomes c · tanh(s / c), so that none is beyond ±c. */
  readonly softCap?: number | undefined;
  /** How many keys a query attends to at most: its own and those before it. */
  readonly window?: number | undefined;
}

/** A matrix [out, in] in blocks along its rows. */
export interface QuantizedBlocks {
  readonly bits: 4 | 8;
  /** Values of a block: a power of two, 16 at least. */
  readonly blockSize: number;
  readonly outputSize: number;
  readonly inputSize: number;
}

/** A matrix [out, in] in blocks of its values row by row. */
export interface QuantizedByTable extends Omit<QuantizedBlocks, 'bits'> {
  /** Which of bitsandbytes' tables. */
  readonly table: 'fp4' | 'nf4';
}

/**
 * Inputs, outputs and parameters of every operator; what it does is said by the record of its name in operators/.
 * They stand apart from the records because expressions need them, and the gradients in the records are made of
 * expressions.
 *
 * @typeParam T what stands for a tensor: its value in a graph, its type, or its cotangent
 */
export interface Signatures<T> {
  readonly Add: Binary<T>;
  readonly Sub: Binary<T>;
  readonly Mul: Binary<T>;
  readonly Div: Binary<T>;
  readonly Neg: Unary<T>;
  readonly Exp: Unary<T>;
  readonly Log: Unary<T>;
  readonly Sqrt: Unary<T>;
  readonly Sigmoid: Unary<T>;
  readonly Silu: Unary<T>;
  readonly Erf: Unary<T>;
  readonly Tanh: Unary<T>;
  readonly Gelu: Unary<T>;
  readonly GeluTanh: Unary<T>;
  readonly GreaterOrEqual: Binary<T>;
  readonly Where: Signature<readonly [condition: T, yes: T, no: T], readonly [y: T]>;
  readonly Cast: Unary<T, { readonly to: ElementType }>;

  readonly MatMul: Signature<readonly [a: T, b: T], readonly [y: T], Transposition>;
  readonly MatMulAdd: Signature<readonly [a: T, b: T, c: T], readonly [y: T], Transposition>;
  /**
   * x [rows, in] times the transpose of a matrix [out, in] of which each block of a row has a scale and a zero point:
   * codes uint8 [out, blocks, bytes of a block], scales [out, blocks], zero points uint8 [out, bytes of a row's], packed
   * like the codes, the lower bits first. Left out, the zero points are in the middle: 8 of 4 bits, 128 of 8.
   */
  readonly MatMulOfBlocks: Signature<
    readonly [x: T, codes: T, scales: T, ...zeroPoints: readonly T[]],
    readonly [y: T],
    QuantizedBlocks
  >;
  /**
   * The same with a matrix of 4-bit codes of a table, two in a byte, the higher bits first; a block of values has the
   * factor `largest`: codes uint8 [out · in / 2], largest [blocks].
   */
  readonly MatMulOfTable: Signature<readonly [x: T, codes: T, largest: T], readonly [y: T], QuantizedByTable>;
  readonly RmsNorm: Signature<
    readonly [x: T, weight: T],
    readonly [y: T, reciprocalRoot: T],
    { readonly epsilon: number }
  >;
  /** One bias at most. */
  readonly LayerNorm: Signature<
    readonly [x: T, weight: T, ...bias: readonly T[]],
    readonly [y: T, mean: T, reciprocalDeviation: T],
    { readonly epsilon: number }
  >;

  readonly ReduceSum: Unary<T, Reduction>;
  readonly ReduceMean: Unary<T, Reduction>;
  readonly ReduceMax: Unary<T, Reduction>;
  readonly Softmax: Unary<T>;
  readonly LogSoftmax: Unary<T>;

  /** `sizes` is the shape as a tensor, which may have −1 for the size that follows from the others. */
  readonly Reshape: Signature<readonly [x: T, sizes: T], readonly [y: T], { readonly shape: Shape }>;
  readonly Transpose: Unary<T, { readonly permutation: readonly number[] }>;
  /** `sizes` is the shape as a tensor. */
  readonly Expand: Signature<readonly [x: T, sizes: T], readonly [y: T], { readonly shape: Shape }>;
  readonly Slice: Unary<T, { readonly axis: number; readonly start: number; readonly end: number }>;
  readonly Pad: Unary<T, { readonly axis: number; readonly before: number; readonly after: number }>;
  /** `size` names the whole where a part's size is open. */
  readonly Concat: Signature<
    readonly T[],
    readonly [y: T],
    { readonly axis: number; readonly size: string | undefined }
  >;
  /** Sizes of the axes from `start` to before `end`. */
  readonly Shape: Unary<T, { readonly start: number; readonly end: number }>;

  readonly GatherRows: Signature<readonly [table: T, indices: T], readonly [y: T]>;
  readonly ScatterAddRows: Signature<readonly [table: T, indices: T, updates: T], readonly [y: T]>;
  readonly GatherElements: Signature<readonly [x: T, indices: T], readonly [y: T]>;
  readonly ScatterAddElements: Signature<readonly [x: T, indices: T, updates: T], readonly [y: T]>;
  /**
   * experts int64 [rows, k]: those that each row is given to. Its rows · k choices are brought into the order of the
   * experts: of which row each is, [rows · k]; where the choices, row by row, then stand, [rows · k]; and how many each
   * expert has, [experts]. All int64.
   */
  readonly OrderByExpert: Signature<
    readonly [experts: T],
    readonly [rows: T, places: T, counts: T],
    { readonly experts: number }
  >;
  /** x [rows, …] in parts one after the other, of as many rows as counts int64 [parts] says, each size under a name. */
  readonly SplitRows: Signature<
    readonly [x: T, counts: T],
    readonly T[],
    { readonly sizes: readonly string[] }
  >;
  readonly Zeros: Signature<readonly [], readonly [y: T], { readonly sizes: readonly number[] }>;
  /** `size` is k where that is known, else the name of that axis. */
  readonly TopK: Signature<
    readonly [x: T, k: T],
    readonly [values: T, indices: T],
    { readonly size: Dimension }
  >;
  /**
   * queries [rows, length, heads · head size], keys and values [rows, key-value heads, length, head size], positions
   * int64 [rows, length]; one bias at most, [rows, heads, length]. The result has the queries' shape.
   */
  readonly AttentionInParts: Signature<
    readonly [queries: T, keys: T, values: T, positions: T, ...bias: readonly T[]],
    readonly [mixed: T],
    AttentionParts & AttentionScores
  >;
  /** Cotangents of queries, keys and values, from the result of AttentionInParts and its cotangent. */
  readonly AttentionInPartsGradient: Signature<
    readonly [queries: T, keys: T, values: T, positions: T, mixed: T, cotangent: T, ...bias: readonly T[]],
    readonly [queries: T, keys: T, values: T],
    AttentionParts & AttentionScores
  >;
  /**
   * queries [rows, length, heads · head size], keys and values [rows, length, key-value heads · head size]; those of
   * earlier tokens lie at the beginning of pastKeys and pastValues [rows, key-value heads, capacity, head size]. lastKeys
   * int32 [rows]: the position of each row's last key, those of the input included; longest int32 [1]: the keys of the row
   * that has the most. One bias at most, [1, heads, length, longest]. The results have the shapes of queries, pastKeys and
   * pastValues.
   */
  readonly CachedAttention: Signature<
    readonly [
      queries: T,
      keys: T,
      values: T,
      pastKeys: T,
      pastValues: T,
      lastKeys: T,
      longest: T,
      ...bias: readonly T[],
    ],
    readonly [mixed: T, keys: T, values: T],
    AttentionScores
  >;
  readonly RotaryEmbedding: Signature<readonly [x: T, positions: T, cos: T, sin: T], readonly [y: T]>;
}

export type OperatorName = keyof Signatures<unknown>;

export type InputsOf<Name extends OperatorName, T> = Signatures<T>[Name]['inputs'];
export type OutputsOf<Name extends OperatorName, T> = Signatures<T>[Name]['outputs'];
export type ParametersOf<Name extends OperatorName> = Signatures<unknown>[Name]['parameters'];

/** Functions of one operand, value by value. */
export type UnaryName =
  | 'Neg'
  | 'Exp'
  | 'Log'
  | 'Sqrt'
  | 'Sigmoid'
  | 'Silu'
  | 'Erf'
  | 'Tanh'
  | 'Gelu'
  | 'GeluTanh';
/** Functions of two operands that broadcast, value by value. */
export type BinaryName = 'Add' | 'Sub' | 'Mul' | 'Div';
