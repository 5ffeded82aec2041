import { cast } from '../model/graph/expressions.ts';
import { createGraph } from '../model/graph/operators.ts';
import { elementCount } from '../model/graph/shape.ts';
import type { Half } from '../model/graph/tensor-type.ts';
import { emitModel } from '../model/onnx/emit.ts';
import { type Memory, processMemory } from '../model/runtime/memory.ts';
import { openSession, type Session, type Tensors } from '../model/runtime/session.ts';
import { type HostTensor, type Tensor, valuesOf } from '../model/runtime/tensor.ts';

/** The weights of a block in this process's memory, float32, by their names in a block's graph. */
export interface WeightsOfBlock {
  readonly weights: ReadonlyMap<string, Tensor>;
  /** Those that products of matrices alone read. */
  readonly factors: ReadonlySet<string>;
  /** Those that a step changes. */
  readonly trained: ReadonlySet<string>;
}

/** A copy of a weight in this process's memory, of as many bits as products take of it. */
interface NarrowCopy {
  readonly tensor: HostTensor;
  readonly isTrained: boolean;
  isCurrent: boolean;
}

/**
 * The weights of blocks, which stay in this process's memory and are on the device when their block is computed: in
 * one of two places there, while those of the block after it come into the other.
 *
 * Where products of matrices are computed in 16 bits, their factors go up in 16 bits: half the bytes for the same
 * products. They are rounded once a step, not at every pass.
 */
export class BlockWeights {
  readonly #memory: Memory;
  readonly #blocks: readonly WeightsOfBlock[];
  readonly #places: readonly [ReadonlyMap<string, Tensor>, ReadonlyMap<string, Tensor>];
  /** By block, by name; none where products are computed in float32. */
  readonly #narrow: readonly ReadonlyMap<string, NarrowCopy>[];
  /** x [n] float32 → y [n], on the processor. */
  readonly #rounding: Session | undefined;
  /** Of each place, the block that is there or on its way, and when it has arrived. */
  readonly #held: [Held, Held] = [nothing, nothing];

  private constructor(
    memory: Memory,
    blocks: readonly WeightsOfBlock[],
    narrow: { readonly type: Half; readonly rounding: Session } | undefined,
  ) {
    this.#memory = memory;
    this.#blocks = blocks;
    this.#rounding = narrow?.rounding;
    this.#narrow = blocks.map((block) => new Map(narrow ? narrowCopies(block, narrow.type) : []));
    const shapes = new Map<string, readonly number[]>();
    const factors = new Set<string>();
    for (const block of blocks) {
      for (const [name, { shape }] of block.weights) shapes.set(name, shape);
      for (const name of block.factors) factors.add(name);
    }
    const place = () =>
      new Map(
        [...shapes].map(([name, shape]) => [
          name,
          memory.allocate(shape, factors.has(name) ? narrow?.type : undefined),
        ]),
      );
    this.#places = [place(), place()];
  }

  /** @param memory the device's */
  static async open(
    memory: Memory,
    blocks: readonly WeightsOfBlock[],
    { precision, threads }: { readonly precision: 'float32' | Half; readonly threads: number },
  ): Promise<BlockWeights> {
    if (precision === 'float32') return new BlockWeights(memory, blocks, undefined);
    const y = cast(createGraph().input('x', 'float32', ['n']), precision);
    const rounding = await openSession(emitModel({ y }), { threads });
    return new BlockWeights(memory, blocks, { type: precision, rounding });
  }

  /**
   * A block's weights on the device, until two other blocks have been asked for.
   *
   * @param next the block that will be asked for next: its weights are on their way from now on
   */
  async take(block: number, next: number | undefined): Promise<Tensors> {
    const place = this.#placeOf(block) ?? this.#bring(block, 0);
    await this.#held[place].arrived;
    if (next !== undefined && this.#placeOf(next) === undefined) this.#bring(next, place === 0 ? 1 : 0);
    return Object.fromEntries(this.#places[place]);
  }

  /** The weights have changed: what is on the device is of no use. */
  forget(): void {
    this.#held.fill(nothing);
    for (const copies of this.#narrow)
      for (const copy of copies.values()) if (copy.isTrained) copy.isCurrent = false;
  }

  async close(): Promise<void> {
    await this.#rounding?.close();
  }

  #placeOf(block: number): 0 | 1 | undefined {
    if (this.#held[0].block === block) return 0;
    return this.#held[1].block === block ? 1 : undefined;
  }

  #bring(block: number, place: 0 | 1): 0 | 1 {
    const bringAll = async () => {
      for (const [name, weights] of this.#blocks[block].weights) {
        const { data } = await this.#asItGoes(block, name, weights as HostTensor);
        await this.#memory.write(this.#places[place].get(name)!, data);
      }
    };
    const arrived = bringAll();
    // Whoever takes the block hears of a failure.
    arrived.catch(() => {});
    this.#held[place] = { block, arrived };
    return place;
  }

  async #asItGoes(block: number, name: string, weights: HostTensor): Promise<HostTensor> {
    const copy = this.#narrow[block].get(name);
    if (!copy) return weights;
    if (!copy.isCurrent) {
      const flat = (tensor: HostTensor) => valuesOf(tensor, 0, [elementCount(tensor.shape)]);
      await this.#rounding!.run({ x: flat(weights) }, { y: flat(copy.tensor) }, { apart: true });
      copy.isCurrent = true;
    }
    return copy.tensor;
  }
}

const narrowCopies = ({ weights, factors, trained }: WeightsOfBlock, type: Half): [string, NarrowCopy][] =>
  [...factors].map((name) => {
    const tensor = processMemory.allocate(weights.get(name)!.shape, type) as HostTensor;
    return [name, { tensor, isTrained: trained.has(name), isCurrent: false }];
  });

interface Held {
  readonly block: number;
  readonly arrived: Promise<void>;
}

const nothing: Held = { block: -1, arrived: Promise.resolve() };
