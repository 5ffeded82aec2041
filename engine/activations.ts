import type { Value } from '../model/graph/graph.ts';
import { boundShape } from '../model/graph/shape.ts';
import type { Memory } from '../model/runtime/memory.ts';
import { beginningOf, type Tensor } from '../model/runtime/tensor.ts';
import type { KeptType } from './engine-options.ts';
import type { PackingSizes } from './packing/micro-batches.ts';

/** The numbers that stand for the open sizes of a graph. */
export type Sizes = Readonly<Record<'tokens' | 'rows' | 'length', number>>;

/** Every slot of every row holds a token. */
export const largestSizes = ({ contextLength, rowsAtOnce }: PackingSizes): Sizes => ({
  tokens: rowsAtOnce * contextLength,
  rows: rowsAtOnce,
  length: contextLength,
});

/** What the forward pass computes and the backward pass reads, in memory that is taken once for the largest sizes. */
export class Activations {
  readonly #values: readonly { readonly value: Value; readonly whole: Tensor }[];

  constructor(
    memory: Memory,
    values: readonly Value[],
    { largest, elementType = 'float32' }: { readonly largest: Sizes; readonly elementType?: KeptType },
  ) {
    this.#values = values.map((value) => ({
      value,
      whole: memory.allocate(boundShape(value.shape, largest), elementType),
    }));
  }

  /** The values by their names, at smaller sizes. */
  at(sizes: Sizes): Record<string, Tensor> {
    return Object.fromEntries(
      this.#values.map(({ value: { name, shape }, whole }) => [
        name,
        beginningOf(whole, boundShape(shape, sizes)),
      ]),
    );
  }
}
