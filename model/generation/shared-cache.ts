import type { Architecture } from '../families/architecture.ts';
import { arrayIn, type HostTensor, valuesOf } from '../runtime/tensor.ts';
import { bytesOfToken, capacityOf, rowsOf } from './cache-sizes.ts';
import { pastName } from './generation-graph.ts';
import type { Sequence } from './sequence.ts';
import type { CacheNames, RunWithCache, SequenceCache } from './sequence-cache.ts';

type Sizes = Pick<Architecture, 'keyValueSizes' | 'contextLength'>;

/**
 * The keys of all sequences in one tensor a layer, [rows, key-value heads, capacity, head size], and so the values. A
 * run writes those of new tokens where they stay. Memory that no token has been written to takes none.
 */
export class SharedCache implements SequenceCache {
  readonly rowsAtOnce = Number.POSITIVE_INFINITY;
  readonly #names: CacheNames;
  readonly #sizes: Sizes;
  /** Keys and values of layer after layer. */
  #tensors: readonly HostTensor[] = [];
  #rows = 0;
  #capacity = 0;

  constructor(names: CacheNames, sizes: Sizes) {
    this.#names = names;
    this.#sizes = sizes;
  }

  get bytes(): number {
    return this.#rows * this.#capacity * bytesOfToken(this.#sizes);
  }

  /** It grows only, as long as there is memory for that: sequences come and go. */
  fit(sequences: readonly Sequence[], available: number): void {
    const rows = rowsOf(sequences.length);
    const most = Math.max(0, ...sequences.map((sequence) => sequence.most));
    const capacity = rows === 0 ? 0 : capacityOf(most, this.#sizes.contextLength);
    const grown = [Math.max(rows, this.#rows), Math.max(capacity, this.#capacity)] as const;
    const keeps = rows > 0 && grown[0] * grown[1] * bytesOfToken(this.#sizes) <= available;
    this.#resize(sequences, ...(keeps ? grown : ([rows, capacity] as const)));
  }

  move({ length }: Sequence, from: number, to: number): void {
    const { keyValueHeads, headSize } = this.#sizes.keyValueSizes;
    const ofHead = this.#capacity * headSize;
    for (const tensor of this.#tensors) {
      const values = arrayIn(tensor);
      for (let head = 0; head < keyValueHeads; head++) {
        const begin = (from * keyValueHeads + head) * ofHead;
        values.copyWithin((to * keyValueHeads + head) * ofHead, begin, begin + length * headSize);
      }
    }
  }

  remove(): void {}

  async extend(
    sequences: readonly Sequence[],
    first: number,
    tokens: number,
    run: RunWithCache,
  ): Promise<void> {
    const { keyValueHeads, headSize } = this.#sizes.keyValueSizes;
    const rows = sequences.length;
    const lastKeys = Int32Array.from(sequences, ({ length }) => length + tokens - 1);
    const longest = Math.max(...lastKeys) + 1;
    const feeds: Record<string, HostTensor> = {
      last_keys: { data: lastKeys, shape: [rows] },
      longest: { data: Int32Array.of(longest), shape: [1] },
      key_positions: {
        data: BigInt64Array.from({ length: longest }, (_, i) => BigInt(i)),
        shape: [1, longest],
      },
    };
    const into: Record<string, HostTensor> = {};
    const shape = [rows, keyValueHeads, this.#capacity, headSize];
    const begin = first * keyValueHeads * this.#capacity * headSize;
    for (let layer = 0; layer < this.#names.keys.length; layer++) {
      const keys = valuesOf(this.#tensors[2 * layer], begin, shape);
      const values = valuesOf(this.#tensors[2 * layer + 1], begin, shape);
      feeds[pastName.keys(layer)] = keys;
      feeds[pastName.values(layer)] = values;
      into[this.#names.keys[layer]] = keys;
      into[this.#names.values[layer]] = values;
    }
    await run(feeds, into);
    for (const sequence of sequences) sequence.length += tokens;
  }

  #resize(sequences: readonly Sequence[], rows: number, capacity: number): void {
    if (rows === this.#rows && capacity === this.#capacity) return;
    const { layers, keyValueHeads, headSize } = this.#sizes.keyValueSizes;
    const shape = [rows, keyValueHeads, capacity, headSize];
    const count = rows * keyValueHeads * capacity * headSize;
    const before = [...this.#tensors];
    this.#tensors = [];
    // One after the other: the old and the new one of a single tensor stand in memory together.
    this.#tensors = Array.from({ length: rows === 0 ? 0 : 2 * layers }, () => {
      const old = before.shift();
      const data = new Float32Array(count);
      if (old) {
        const from = arrayIn(old);
        for (const [row, { length }] of sequences.entries()) {
          for (let head = row * keyValueHeads; head < (row + 1) * keyValueHeads; head++) {
            const begin = head * this.#capacity * headSize;
            data.set(from.subarray(begin, begin + length * headSize), head * capacity * headSize);
          }
        }
      }
      return { data, shape };
    });
    this.#rows = rows;
    this.#capacity = capacity;
  }
}
