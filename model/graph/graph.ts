import { FuseMeshError } from '../../errors/fusemesh-error.ts';
import type { OnnxWriter } from './onnx-writer.ts';
import { elementCount, formatShape, type Shape } from './shape.ts';
import type { InputsOf, OperatorName, OutputsOf, ParametersOf } from './signatures.ts';
import { bytesPerElement, type ElementType, type HalfOperands, type TensorType } from './tensor-type.ts';

/** One application of an operator. */
export type Node<Name extends OperatorName = OperatorName> = {
  readonly [N in Name]: {
    readonly operator: N;
    readonly inputs: InputsOf<N, Value>;
    readonly parameters: ParametersOf<N>;
    readonly outputs: OutputsOf<N, Value>;
  };
}[Name];

/** Little-endian bytes of a constant, or the place in a file where they lie. */
export type TensorData =
  | { readonly kind: 'bytes'; readonly bytes: Uint8Array<ArrayBuffer> }
  | { readonly kind: 'file'; readonly name: string; readonly offset: number; readonly byteLength: number };

/** Where a value comes from. */
export type Origin =
  | { readonly kind: 'input' }
  | { readonly kind: 'constant'; readonly data: TensorData }
  | { readonly kind: 'node'; readonly node: Node };

/**
 * Gradient of one output of a function: from the output's cotangent (∂loss/∂output) to the cotangent of
 * each input, undefined where none flows (the vector-Jacobian product).
 */
export type VectorJacobianProduct = (cotangent: Value) => readonly (Value | undefined)[];

/** A rule that replaces the operators' own between `inputs` and the value that carries it. */
export interface GradientRule {
  readonly inputs: readonly Value[];
  readonly rule: VectorJacobianProduct;
}

/** A tensor in a graph: it knows its type and shape, and where it comes from. */
export class Value {
  readonly graph: Graph;
  readonly name: string;
  readonly type: TensorType;
  readonly origin: Origin;
  /** Set by withGradient. */
  readonly gradientRule: GradientRule | undefined;

  constructor(graph: Graph, name: string, type: TensorType, origin: Origin, gradientRule?: GradientRule) {
    this.graph = graph;
    this.name = name;
    this.type = type;
    this.origin = origin;
    this.gradientRule = gradientRule;
  }

  get shape(): Shape {
    return this.type.shape;
  }

  get elementType(): ElementType {
    return this.type.elementType;
  }

  /** For messages: name, element type and shape. */
  toString(): string {
    return `"${this.name}" (${this.elementType} ${formatShape(this.shape)})`;
  }
}

/** Everything about one operator but its {@link Signatures}. */
export interface Operator<Name extends OperatorName> {
  /** Types of the outputs; throws where the inputs make no sense, naming operator and operands. */
  infer(inputs: InputsOf<Name, Value>, parameters: ParametersOf<Name>): OutputsOf<Name, TensorType>;
  /**
   * Cotangents of the inputs, undefined where none flows (to indices). Left out for operators without a
   * gradient.
   *
   * @param cotangent ∂loss/∂outputs[0]
   */
  gradient?(cotangent: Value, node: Node<Name>): InputsOf<Name, Value | undefined>;
  /** Writes it in operators of the ONNX standard alone, for any runtime. */
  toOnnx(onnx: OnnxWriter, node: Node<Name>): void;
  /** Writes it in ONNX Runtime's own operators, one kernel where the standard needs several. */
  toOnnxRuntime?(onnx: OnnxWriter, node: Node<Name>): void;
  /**
   * Writes it with matrix products in 16 bits, as tensor cores compute them: their operands are rounded, all else
   * stays float32 (Micikevicius et al. 2018, mixed precision).
   */
  toHalf?(onnx: OnnxWriter, node: Node<Name>, operands: HalfOperands): void;
  /**
   * Writes it for ONNX Runtime's WebGPU provider, where the standard's form has no kernel there or a slow one. What
   * has none runs on the processor, and all that it reads and writes crosses the bus.
   */
  toWebgpu?(onnx: OnnxWriter, node: Node<Name>): void;
  /**
   * It takes one pass over its values, against the many of a matrix product: the backward pass computes it again
   * rather than keep it, for a percent of a step's time and nearly half of its memory.
   */
  readonly isCheap?: true;
  /** Bytes that it takes while it runs, beside inputs and outputs, where these are many. */
  workspace?(node: Node<Name>, sizes: Readonly<Record<string, number>>): number;
  /** The output is another view of the first input and takes no memory. */
  readonly isView?: true;
  /** ONNX Runtime by itself writes the output onto an input of the same size that nobody reads any more. */
  readonly reusesInput?: true;
  /**
   * Index of the input whose buffer we may give to the output too: ONNX Runtime reads each value there before it
   * writes the same one.
   */
  readonly inPlaceOf?: number;
}

/** Every operator: what {@link Signatures} names and this lacks is a compile error. */
export type OperatorTable = { readonly [Name in OperatorName]: Operator<Name> };

/** A graph of operators under construction. Nodes stand in the order in which they can run. */
export class Graph {
  readonly nodes: Node[] = [];
  readonly inputs: Value[] = [];
  readonly constants: Value[] = [];
  readonly #operators: OperatorTable;
  readonly #names = new Set<string>();

  constructor(operators: OperatorTable) {
    this.#operators = operators;
  }

  /** A tensor that is given at every run, under just this name. */
  input(name: string, elementType: ElementType, shape: Shape): Value {
    if (this.#names.has(name))
      throw new FuseMeshError('invalid_argument', `the graph has a value "${name}" already`);
    const value = new Value(this, this.#claim(name), { elementType, shape }, { kind: 'input' });
    this.inputs.push(value);
    return value;
  }

  /** A tensor that never changes. */
  constant(name: string, elementType: ElementType, shape: readonly number[], data: TensorData): Value {
    const expected = elementCount(shape) * bytesPerElement[elementType];
    const actual = data.kind === 'bytes' ? data.bytes.byteLength : data.byteLength;
    if (actual !== expected) {
      throw new FuseMeshError(
        'invalid_argument',
        `constant "${name}": ${elementType} ${formatShape(shape)} takes ${expected} bytes, got ${actual}`,
      );
    }
    const value = new Value(this, this.#claim(name), { elementType, shape }, { kind: 'constant', data });
    this.constants.push(value);
    return value;
  }

  /** Applies an operator; its outputs' names derive from its own. */
  apply<Name extends OperatorName>(
    operator: Name,
    inputs: InputsOf<Name, Value>,
    parameters: ParametersOf<Name>,
  ): OutputsOf<Name, Value> {
    for (const input of inputs) {
      if (input.graph !== this)
        throw new FuseMeshError('invalid_argument', `${operator}: operand ${input} belongs to another graph`);
    }
    const outputs: Value[] = [];
    // TypeScript sees neither that a node of one name is a node, nor that there are as many outputs as types.
    const node = { operator, inputs, parameters, outputs } as unknown as Node;
    for (const type of this.#operators[operator].infer(inputs, parameters) as readonly TensorType[])
      outputs.push(new Value(this, this.#claim(operator.toLowerCase()), type, { kind: 'node', node }));
    this.nodes.push(node);
    return outputs as unknown as OutputsOf<Name, Value>;
  }

  /** A unique name: the wanted one, with a number where it is taken. */
  #claim(wanted: string): string {
    let name = wanted;
    for (let count = this.nodes.length; this.#names.has(name); count++) name = `${wanted}_${count}`;
    this.#names.add(name);
    return name;
  }
}
