import type { Memory } from '../model/runtime/memory.ts';
import type { Tensors } from '../model/runtime/session.ts';
import type { Tensor } from '../model/runtime/tensor.ts';
import { type Segment, sumName } from './graphs/segment.ts';
import type { InitialValues, TrainedPart } from './trained-part.ts';

/** A trained tensor with all that belongs to it, float32: 16 bytes a parameter. */
export interface TrainingTensor {
  readonly name: string;
  readonly shape: readonly number[];
  readonly weights: Tensor;
  readonly gradient: Tensor;
  readonly firstMoment: Tensor;
  readonly secondMoment: Tensor;
  /** Biases and the weights of norms have no weight decay, as in Hugging Face's Trainer. */
  readonly decays: boolean;
}

/** A model's tensors as one of its parts needs them. */
export interface BoundTensors {
  /** By their names in the part's graph. */
  readonly weights: ReadonlyMap<string, Tensor>;
  /** The weights, and the sums of gradients so far. */
  readonly feeds: Tensors;
  /** Where the gradients go, alone or added to their sums: onto the same memory. */
  readonly into: Tensors;
}

/** The tensors of a model in training, which ONNX Runtime reads and writes in place. */
export class TrainingTensors {
  readonly trained: readonly TrainingTensor[];
  readonly #weights: ReadonlyMap<string, Tensor>;
  readonly #gradients: ReadonlyMap<string, Tensor>;

  private constructor(trained: readonly TrainingTensor[], frozen: ReadonlyMap<string, Tensor>) {
    this.trained = trained;
    const ofTrained = trained.map(({ name, weights }) => [name, weights] as const);
    this.#weights = new Map([...frozen, ...ofTrained]);
    this.#gradients = new Map(trained.map(({ name, gradient }) => [name, gradient]));
  }

  /** Takes the memory for a training that begins with these values, which leave their maps as they are placed. */
  static async place(memory: Memory, part: TrainedPart, values: InitialValues): Promise<TrainingTensors> {
    const trained: TrainingTensor[] = [];
    for (const [name, initial] of values.trained) {
      values.trained.delete(name);
      const shape = part.shapes.get(name)!;
      const gradient = memory.allocate(shape);
      const firstMoment = await memory.zeros(shape);
      const secondMoment = await memory.zeros(shape);
      const weights = await memory.place(initial, shape);
      trained.push({ name, shape, weights, gradient, firstMoment, secondMoment, decays: shape.length > 1 });
    }
    const frozen = new Map<string, Tensor>();
    for (const [name, data] of values.frozen) {
      values.frozen.delete(name);
      frozen.set(name, await memory.place(data, part.frozen.get(name)!));
    }
    return new TrainingTensors(trained, frozen);
  }

  gradientOf(name: string): Tensor {
    return this.#gradients.get(name)!;
  }

  /** @param tensorOf the model's name of a tensor by that in the part's graph */
  bind(
    { tensors, gradients }: Pick<Segment, 'tensors' | 'gradients'>,
    tensorOf: (input: string) => string = (input) => input,
  ): BoundTensors {
    const feeds: Record<string, Tensor> = {};
    const into: Record<string, Tensor> = {};
    const weights = new Map(tensors.map((input) => [input, this.#weights.get(tensorOf(input))!]));
    for (const [input, tensor] of weights) feeds[input] = tensor;
    for (const [input, { alone, added }] of gradients) {
      const gradient = this.gradientOf(tensorOf(input));
      feeds[sumName(input)] = gradient;
      into[alone.name] = gradient;
      into[added.name] = gradient;
    }
    return { weights, feeds, into };
  }
}
