import type { KeyValueSizes } from '../families/architecture.ts';
import type { Memory } from '../runtime/memory.ts';
import { beginningOf, type Tensor } from '../runtime/tensor.ts';
import { bytesOfToken, capacityOf } from './cache-sizes.ts';

/** Memory for the keys and values of some tokens, or of fewer. */
export interface Room {
  /** In tokens. */
  readonly capacity: number;
  /** Of each layer. */
  readonly keys: readonly Tensor[];
  readonly values: readonly Tensor[];
}

/**
 * Memory for key-value caches. A step of generation reads a text's cache in one room and writes the longer one into
 * another: since texts take turns, one spare room of each capacity is enough for all of them.
 */
export class CacheRooms {
  readonly #memory: Memory;
  readonly #sizes: KeyValueSizes;
  readonly #contextLength: number;
  #bytes = 0;
  readonly #spare = new Map<number, Room>();

  constructor(
    memory: Memory,
    {
      keyValueSizes,
      contextLength,
    }: { readonly keyValueSizes: KeyValueSizes; readonly contextLength: number },
  ) {
    this.#memory = memory;
    this.#sizes = keyValueSizes;
    this.#contextLength = contextLength;
  }

  /** Of all rooms, the spare ones too. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Shape of the keys of one layer, and of its values. */
  shapeOf(tokens: number): readonly number[] {
    return [1, this.#sizes.keyValueHeads, tokens, this.#sizes.headSize];
  }

  /** A tensor of a room as that of fewer tokens. */
  of(tensor: Tensor, tokens: number): Tensor {
    return beginningOf(tensor, this.shapeOf(tokens));
  }

  take(tokens: number): Room {
    const capacity = capacityOf(tokens, this.#contextLength);
    const spare = this.#spare.get(capacity);
    this.#spare.delete(capacity);
    if (spare) return spare;
    this.#bytes += this.#bytesOf(capacity);
    const ofLayers = () =>
      Array.from({ length: this.#sizes.layers }, () => this.#memory.allocate(this.shapeOf(capacity)));
    return { capacity, keys: ofLayers(), values: ofLayers() };
  }

  give(room: Room): void {
    if (this.#spare.has(room.capacity)) this.#free(room);
    else this.#spare.set(room.capacity, room);
  }

  /** Frees what no text is in. */
  freeSpare(): void {
    for (const room of this.#spare.values()) this.#free(room);
    this.#spare.clear();
  }

  #bytesOf(capacity: number): number {
    return capacity * bytesOfToken({ keyValueSizes: this.#sizes });
  }

  #free({ capacity, keys, values }: Room): void {
    this.#bytes -= this.#bytesOf(capacity);
    for (const tensor of [...keys, ...values]) this.#memory.free(tensor);
  }
}
