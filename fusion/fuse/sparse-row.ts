/** A sparse distribution over the target's vocabulary while it is built: only its first `count` entries are valid. */
export interface SparseRow {
  readonly ids: Int32Array;
  readonly probabilities: Float64Array;
  count: number;
}

export const emptyRow = (capacity: number): SparseRow => ({
  ids: new Int32Array(capacity),
  probabilities: new Float64Array(capacity),
  count: 0,
});

/** Adds probability to a token; where the row is full, a token that is not in it yet is left out. */
export function addTo(row: SparseRow, id: number, probability: number): void {
  const { ids, probabilities, count } = row;
  for (let i = 0; i < count; i++) {
    if (ids[i] === id) {
      probabilities[i] += probability;
      return;
    }
  }
  if (count === ids.length) return;
  ids[count] = id;
  probabilities[count] = probability;
  row.count = count + 1;
}

/** Adds a row, in which no token occurs twice, times a factor. */
export function addRow(row: SparseRow, added: SparseRow, factor: number): void {
  if (row.count > 0) {
    for (let i = 0; i < added.count; i++) addTo(row, added.ids[i], factor * added.probabilities[i]);
    return;
  }
  const count = Math.min(added.count, row.ids.length);
  for (let i = 0; i < count; i++) {
    row.ids[i] = added.ids[i];
    row.probabilities[i] = factor * added.probabilities[i];
  }
  row.count = count;
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
