import type { HostTensor } from '../model/runtime/tensor.ts';
import type { OptimizedTensor } from './adamw.ts';
import { type Segment, sumName } from './graphs/segment.ts';
import type { TensorValues, TrainedPart } from './trained-part.ts';

/** A trained tensor with all that belongs to it: 16 bytes a parameter. */
export interface TrainingTensor extends OptimizedTensor {
  readonly name: string;
  readonly shape: readonly number[];
  readonly weights: Float32Array<ArrayBuffer>;
  readonly gradient: Float32Array<ArrayBuffer>;
}

/** A float32 tensor. */
type FloatTensor = Extract<HostTensor, { readonly data: Float32Array<ArrayBuffer> }>;

/** Tensors by the names of a session's inputs or outputs. */
export type Feeds = Readonly<Record<string, HostTensor>>;

/** A model's tensors as one of its parts needs them. */
export interface BoundTensors {
  /** The weights, and the sums of gradients so far. */
  readonly feeds: Feeds;
  /** Where the gradients go, alone or added to their sums: onto the same buffers. */
  readonly into: Feeds;
}

/** The tensors of a model in training, on buffers that ONNX Runtime reads and writes in place. */
export class TrainingTensors {
  readonly trained: readonly TrainingTensor[];
  readonly #weights = new Map<string, HostTensor>();
  readonly #gradients = new Map<string, FloatTensor>();

  constructor(part: TrainedPart, values: { readonly trained: TensorValues; readonly frozen: TensorValues }) {
    this.trained = [...values.trained].map(([name, weights]) => {
      const shape = part.shapes.get(name)!;
      const empty = () => new Float32Array(weights.length);
      const gradient = empty();
      this.#weights.set(name, { data: weights, shape });
      this.#gradients.set(name, { data: gradient, shape });
      const moments = { firstMoment: empty(), secondMoment: empty() };
      return { name, shape, weights, gradient, ...moments, decays: shape.length > 1 };
    });
    for (const [name, data] of values.frozen)
      this.#weights.set(name, { data, shape: part.frozen.get(name)! });
  }

  clearGradient(name: string): void {
    this.#gradients.get(name)!.data.fill(0);
  }

  scaleGradients(factor: number): void {
    for (const { gradient } of this.trained) {
      for (let i = 0; i < gradient.length; i++) gradient[i] *= factor;
    }
  }

  /** @param tensorOf the model's name of a tensor by that in the part's graph */
  bind(
    { tensors, gradients }: Pick<Segment, 'tensors' | 'gradients'>,
    tensorOf: (input: string) => string = (input) => input,
  ): BoundTensors {
    const feeds: Record<string, HostTensor> = {};
    const into: Record<string, HostTensor> = {};
    for (const input of tensors) feeds[input] = this.#weights.get(tensorOf(input))!;
    for (const [input, { alone, added }] of gradients) {
      const gradient = this.#gradients.get(tensorOf(input))!;
      feeds[sumName(input)] = gradient;
      into[alone.name] = gradient;
      into[added.name] = gradient;
    }
    return { feeds, into };
  }
}
