import type { Value } from '../../model/graph/graph.ts';
import { boundShape, elementCount } from '../../model/graph/shape.ts';
import type { HostTensor } from '../../model/runtime/session.ts';
import type { PackingSizes } from './packing/micro-batches.ts';

/** The numbers that stand for the open sizes of a graph. */
export type Sizes = Readonly<Record<'tokens' | 'rows' | 'length', number>>;

/** Each slot of each row taken by a token. */
export const largestSizes = ({ contextLength, rowsAtOnce }: PackingSizes): Sizes => ({
  tokens: rowsAtOnce * contextLength,
  rows: rowsAtOnce,
  length: contextLength,
});

type Buffers = ReadonlyMap<string, Float32Array<ArrayBuffer>>;

/** Buffers for what a forward pass computes and the way back reads, made once for the largest sizes. */
export class Activations {
  readonly #shapes: ReadonlyMap<string, Value['shape']>;
  readonly #buffers: Buffers;

  constructor(values: readonly Value[], largest: Sizes) {
    this.#shapes = new Map(values.map(({ name, shape }) => [name, shape]));
    this.#buffers = new Map(
      values.map(({ name, shape }) => [name, new Float32Array(elementCount(boundShape(shape, largest)))]),
    );
  }

  /** The values by their names, at smaller sizes. */
  at(sizes: Sizes): Record<string, HostTensor> {
    const tensors: Record<string, HostTensor> = {};
    for (const [name, buffer] of this.#buffers) {
      const shape = boundShape(this.#shapes.get(name)!, sizes);
      tensors[name] = { data: buffer.subarray(0, elementCount(shape)), shape };
    }
    return tensors;
  }
}
