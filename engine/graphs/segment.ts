import { factorsAlone } from '../../model/graph/factors.ts';
import { accumulate, pullback } from '../../model/graph/gradients.ts';
import type { Graph, Value } from '../../model/graph/graph.ts';
import { reachable } from '../../model/graph/reachable.ts';
import { savedValues } from '../../model/graph/saved-values.ts';
import type { TrainedPart } from '../trained-part.ts';

/** The model's tensors in the graph of one of its parts; each becomes an input when it is first used. */
export class PartTensors {
  /** Names that the inputs have in the graph, by those of the tensors. */
  readonly inputs = new Map<string, Value>();
  readonly #graph: Graph;
  readonly #part: TrainedPart;
  readonly #inputName: (tensor: string) => string;

  /** @param inputName what a tensor is called in the graph */
  constructor(graph: Graph, part: TrainedPart, inputName: (tensor: string) => string = (tensor) => tensor) {
    this.#graph = graph;
    this.#part = part;
    this.#inputName = inputName;
  }

  readonly tensor = (name: string): Value => {
    const known = this.inputs.get(name);
    if (known) return known;
    const shape = this.#part.shapes.get(name) ?? this.#part.frozen.get(name)!;
    const input = this.#graph.input(this.#inputName(name), 'float32', shape);
    this.inputs.set(name, input);
    return input;
  };

  /** Those that are trained. */
  get trained(): Value[] {
    return [...this.inputs].flatMap(([name, input]) => (this.#part.shapes.has(name) ? [input] : []));
  }
}

/** Name of the input that holds ∂loss/∂output. */
export const cotangentName = 'cotangent';

/** Name of the input that holds a gradient's sum so far, by the name of the tensor's input. */
export const sumName = (input: string): string => `sum:${input}`;

/** A part of a model with its backward pass, in one graph. */
export interface Segment {
  readonly output: Value;
  /** What its tensors are called in the graph. */
  readonly tensors: readonly string[];
  /** Those of them that products of matrices alone read. */
  readonly factors: ReadonlySet<string>;
  /** What the forward pass keeps for the backward pass. */
  readonly saved: readonly Value[];
  /** ∂loss/∂input; undefined where there is no input to differentiate. */
  readonly inputCotangent: Value | undefined;
  /** By a trained tensor's input. */
  readonly gradients: ReadonlyMap<string, TensorGradient>;
}

/** The gradient of a trained tensor, in two forms: only one of them is computed in a run. */
export interface TensorGradient {
  /** For the first part of a step. */
  readonly alone: Value;
  /** Added to the input of the name {@link sumName}, for further parts. */
  readonly added: Value;
}

export type GradientForm = keyof TensorGradient;

/** Gradients by their tensors' inputs. */
export const tensorGradients = (
  trained: readonly Value[],
  computed: readonly Value[],
): ReadonlyMap<string, TensorGradient> =>
  new Map(
    trained.map(({ graph, name, shape }, i) => {
      const sum = graph.input(sumName(name), 'float32', shape);
      return [name, { alone: computed[i], added: accumulate(sum, computed[i]) }];
    }),
  );

/** Writes the backward pass of a part of a model into its graph. */
export function segment(output: Value, tensors: PartTensors, input?: Value): Segment {
  const { graph, shape } = output;
  const { trained } = tensors;
  const outputCotangent = graph.input(cotangentName, 'float32', shape);
  const differentiated = input ? [input, ...trained] : trained;
  const computed = pullback(output, outputCotangent, differentiated);
  const inputCotangent = input && computed[0];
  const gradients = tensorGradients(trained, input ? computed.slice(1) : computed);
  const names = [...tensors.inputs.values()].map(({ name }) => name);
  const saved = savedValues(output, resultsOf({ inputCotangent, gradients }, 'alone'));
  const { nodes } = reachable([output, ...resultsOf({ inputCotangent, gradients }, 'added')]);
  const alone = factorsAlone(nodes);
  const factors = new Set(names.filter((name) => alone.has(name)));
  return { output, tensors: names, factors, saved, inputCotangent, gradients };
}

/** The results of the backward pass. */
export const resultsOf = (
  { inputCotangent, gradients }: Pick<Segment, 'inputCotangent' | 'gradients'>,
  form: GradientForm,
): Value[] => {
  const ofTensors = [...gradients.values()].map((gradient) => gradient[form]);
  return inputCotangent ? [inputCotangent, ...ofTensors] : ofTensors;
};
