import { FuseMeshError } from '../../errors/fusemesh-error.ts';
import { elementCount, formatShape, type Shape } from './shape.ts';

export type ElementType = 'float32' | 'float16' | 'bfloat16' | 'int32' | 'int64' | 'bool';

/** What is known of a tensor before the graph runs. */
export interface TensorType {
  readonly elementType: ElementType;
  readonly shape: Shape;
}

export type Attributes = Readonly<Record<string, number | string | readonly number[]>>;

/** One application of an operator. */
export interface Node {
  readonly operator: string;
  readonly inputs: readonly Value[];
  readonly attributes: Attributes;
  readonly outputs: readonly Value[];
}

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

/** A tensor in a graph: it knows its type and shape, and how it came about. */
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

/** What an operator's gradient rule may look at. */
export interface GradientContext {
  readonly inputs: readonly Value[];
  readonly outputs: readonly Value[];
  readonly attributes: Attributes;
  /** ∂loss/∂outputs[0]. */
  readonly cotangent: Value;
}

/** One primitive: its shape rule and its gradient. */
export interface Operator {
  /** Types of the outputs; throws where the inputs make no sense, naming operator and operands. */
  infer(inputs: readonly Value[], attributes: Attributes): readonly TensorType[];
  /** Cotangents of the inputs. Left out where no gradient flows (integers, comparisons). */
  gradient?(context: GradientContext): readonly (Value | undefined)[];
}

export type OperatorTable = Readonly<Record<string, Operator>>;

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

  /** Applies an operator of the table; its outputs' names derive from `name`. */
  apply(operator: string, inputs: readonly Value[], attributes: Attributes = {}): readonly Value[] {
    const definition = this.operator(operator);
    for (const input of inputs) {
      if (input.graph !== this)
        throw new FuseMeshError('invalid_argument', `${operator}: operand ${input} belongs to another graph`);
    }
    const outputs: Value[] = [];
    const node: Node = { operator, inputs, attributes, outputs };
    for (const type of definition.infer(inputs, attributes)) {
      outputs.push(new Value(this, this.#claim(operator.toLowerCase()), type, { kind: 'node', node }));
    }
    this.nodes.push(node);
    return outputs;
  }

  operator(name: string): Operator {
    const definition = this.#operators[name];
    if (!definition) throw new FuseMeshError('internal', `operator "${name}" is not in the table`);
    return definition;
  }

  /** A name of its own for every value: the wanted one, numbered when taken. */
  #claim(wanted: string): string {
    let name = wanted;
    for (let count = this.nodes.length; this.#names.has(name); count++) name = `${wanted}_${count}`;
    this.#names.add(name);
    return name;
  }
}

export const bytesPerElement: Readonly<Record<ElementType, number>> = {
  float32: 4,
  float16: 2,
  bfloat16: 2,
  int32: 4,
  int64: 8,
  bool: 1,
};
