/**
 * A sparse distribution over the target's vocabulary while it is built: only its first `count` entries are valid. Setting
 * `count` to 0 empties it.
 */
export interface SparseRow {
  readonly ids: Int32Array;
  readonly probabilities: Float64Array;
  count: number;
  /** A hash table with linear probing: the entry in each slot, whatever has been left there by rows of before. */
  readonly entries: Int32Array;
  /** The slot of each entry: an entry that does not point back to its slot is of a row of before. */
  readonly slots: Int32Array;
}

export function emptyRow(capacity: number): SparseRow {
  // At most half full, so that probing ends soon.
  const size = 2 ** Math.ceil(Math.log2(2 * Math.max(1, capacity)));
  return {
    ids: new Int32Array(capacity),
    probabilities: new Float64Array(capacity),
    count: 0,
    entries: new Int32Array(size),
    slots: new Int32Array(capacity),
  };
}

/** Adds probability to a token; where the row is full, a token that is not in it yet is left out. */
export function addTo(row: SparseRow, id: number, probability: number): void {
  const { ids, probabilities, count, entries, slots } = row;
  const last = entries.length - 1;
  // Neighbouring ids come into distant slots (Knuth's multiplicative hashing).
  let slot = (Math.imul(id, 0x9e3779b1) >>> 7) & last;
  for (;;) {
    const entry = entries[slot];
    if (entry >= count || slots[entry] !== slot) break;
    if (ids[entry] === id) {
      probabilities[entry] += probability;
      return;
    }
    slot = (slot + 1) & last;
  }
  if (count === ids.length) return;
  ids[count] = id;
  probabilities[count] = probability;
  entries[slot] = count;
  slots[count] = slot;
  row.count = count + 1;
}

/** Adds a row times a factor. */
export function addRow(row: SparseRow, added: SparseRow, factor: number): void {
  for (let i = 0; i < added.count; i++) addTo(row, added.ids[i], factor * added.probabilities[i]);
}

/** Sum of a row's probabilities. */
export function massOf({ probabilities, count }: SparseRow): number {
  let mass = 0;
  for (let i = 0; i < count; i++) mass += probabilities[i];
  return mass;
}

export function scale({ probabilities, count }: SparseRow, factor: number): void {
  for (let i = 0; i < count; i++) probabilities[i] *= factor;
}
