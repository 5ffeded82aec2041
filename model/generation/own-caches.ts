import type { Tensor } from '../runtime/tensor.ts';
import type { CacheRooms, Room } from './cache-rooms.ts';
import { pastName } from './generation-graph.ts';
import type { Sequence } from './sequence.ts';
import type { CacheNames, RunWithCache, SequenceCache } from './sequence-cache.ts';

/** A cache for each sequence, which a run writes anew with the new token's keys and values behind. */
export class OwnCaches implements SequenceCache {
  readonly rowsAtOnce = 1;
  readonly #names: CacheNames;
  readonly #rooms: CacheRooms;
  readonly #roomOf = new Map<Sequence, Room>();

  constructor(names: CacheNames, rooms: CacheRooms) {
    this.#names = names;
    this.#rooms = rooms;
  }

  get bytes(): number {
    return this.#rooms.bytes;
  }

  fit(): void {
    if (this.#roomOf.size === 0) this.#rooms.freeSpare();
  }

  move(): void {}

  remove(sequence: Sequence): void {
    const room = this.#roomOf.get(sequence);
    if (!room) return;
    this.#roomOf.delete(sequence);
    this.#rooms.give(room);
  }

  async extend(
    [sequence]: readonly Sequence[],
    _first: number,
    tokens: number,
    run: RunWithCache,
  ): Promise<void> {
    const rooms = this.#rooms;
    const past = sequence.length;
    const all = past + tokens;
    const before = this.#roomOf.get(sequence) ?? rooms.take(0);
    this.#roomOf.set(sequence, before);
    const after = rooms.take(all);
    const feeds: Record<string, Tensor> = {
      key_positions: { data: BigInt64Array.from({ length: all }, (_, i) => BigInt(i)), shape: [1, all] },
    };
    const into: Record<string, Tensor> = {};
    for (const [layer, name] of this.#names.keys.entries()) {
      feeds[pastName.keys(layer)] = rooms.of(before.keys[layer], past);
      feeds[pastName.values(layer)] = rooms.of(before.values[layer], past);
      into[name] = rooms.of(after.keys[layer], all);
      into[this.#names.values[layer]] = rooms.of(after.values[layer], all);
    }
    try {
      await run(feeds, into);
    } catch (error) {
      rooms.give(after);
      throw error;
    }
    this.#roomOf.set(sequence, after);
    rooms.give(before);
    sequence.length = all;
  }
}
