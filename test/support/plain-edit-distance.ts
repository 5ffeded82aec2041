/** Levenshtein distance by the plain dynamic programme, element by element. */
export function plainEditDistance(a: ArrayLike<string>, b: ArrayLike<string>): number {
  let above = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 0; i < a.length; i++) {
    const row = [i + 1];
    for (let j = 0; j < b.length; j++) {
      row.push(Math.min(above[j] + (a[i] === b[j] ? 0 : 1), above[j + 1] + 1, row[j] + 1));
    }
    above = row;
  }
  return above[b.length];
}
