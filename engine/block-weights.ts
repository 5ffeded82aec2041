import type { Memory } from '../model/runtime/memory.ts';
import type { Tensors } from '../model/runtime/session.ts';
import { arrayIn, type Tensor } from '../model/runtime/tensor.ts';

/**
 * The weights of blocks, which stay in this process's memory and are on the device when their block is computed: in
 * one of two places there, while those of the block after it come into the other.
 */
export class BlockWeights {
  readonly #memory: Memory;
  /** By block, by name in a block's graph. */
  readonly #blocks: readonly ReadonlyMap<string, Tensor>[];
  readonly #places: readonly [ReadonlyMap<string, Tensor>, ReadonlyMap<string, Tensor>];
  /** Of each place, the block that is there or on its way, and when it has arrived. */
  readonly #held: [Held, Held] = [nothing, nothing];

  /** @param blocks their weights in this process's memory, by their names in a block's graph */
  constructor(memory: Memory, blocks: readonly ReadonlyMap<string, Tensor>[]) {
    this.#memory = memory;
    this.#blocks = blocks;
    const place = () => new Map([...blocks[0]].map(([name, { shape }]) => [name, memory.allocate(shape)]));
    this.#places = [place(), place()];
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
  }

  #placeOf(block: number): 0 | 1 | undefined {
    if (this.#held[0].block === block) return 0;
    return this.#held[1].block === block ? 1 : undefined;
  }

  #bring(block: number, place: 0 | 1): 0 | 1 {
    const bringAll = async () => {
      for (const [name, tensor] of this.#places[place])
        await this.#memory.write(tensor, arrayIn(this.#blocks[block].get(name)!));
    };
    const arrived = bringAll();
    // Whoever takes the block hears of a failure.
    arrived.catch(() => {});
    this.#held[place] = { block, arrived };
    return place;
  }
}

interface Held {
  readonly block: number;
  readonly arrived: Promise<void>;
}

const nothing: Held = { block: -1, arrived: Promise.resolve() };
