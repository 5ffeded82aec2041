import type { Value } from '../model/graph/graph.ts';
import { boundShape, elementCount } from '../model/graph/shape.ts';
import type { HostTensor } from '../model/runtime/tensor.ts';
import type { PackingSizes } from './packing/micro-batches.ts';

/** The numbers that stand for the open sizes of a graph. */
export type Sizes = Readonly<Record<'tokens' | 'rows' | 'length', number>>;

/** Every slot of every row holds a token. */
export const largestSizes = ({ contextLength, rowsAtOnce }: PackingSizes): Sizes => ({
  tokens: rowsAtOnce * contextLength,
  rows: rowsAtOnce,
  length: contextLength,
});

/** The beginning of a buffer as a tensor. */
export const tensorIn = (buffer: Float32Array<ArrayBuffer>, shape: readonly number[]): HostTensor => ({
  data: buffer.subarray(0, elementCount(shape)),
  shape,
});

/**
 * Buffers for what the forward pass computes and the backward pass reads, made once for the largest sizes.
 */
export class Activations {
  readonly #values: readonly { readonly value: Value; readonly buffer: Float32Array<ArrayBuffer> }[];

  constructor(values: readonly Value[], largest: Sizes) {
    this.#values = values.map((value) => ({
      value,
      buffer: new Float32Array(elementCount(boundShape(value.shape, largest))),
    }));
  }

  /** The values by their names, at smaller sizes. */
  at(sizes: Sizes): Record<string, HostTensor> {
    return Object.fromEntries(
      this.#values.map(({ value: { name, shape }, buffer }) => [
        name,
        tensorIn(buffer, boundShape(shape, sizes)),
      ]),
    );
  }
}
