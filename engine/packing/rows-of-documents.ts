/** Documents of one row, by their index, and how many tokens they have together. */
export interface Row {
  readonly documents: readonly number[];
  readonly tokens: number;
}

/**
 * Packs documents into rows, the longest first, each into the first row that has room (first fit decreasing,
 * Johnson 1973: at most 11/9 of the fewest rows possible, and 2/3 of one more).
 *
 * @param lengths tokens of each document
 * @param rowLength at least the longest of them
 */
export function rowsOfDocuments(lengths: readonly number[], rowLength: number): Row[] {
  const longestFirst = [...lengths.keys()].sort((a, b) => lengths[b] - lengths[a] || a - b);
  const rows: { documents: number[]; tokens: number }[] = [];
  for (const document of longestFirst) {
    const length = lengths[document];
    let row = rows.find(({ tokens }) => tokens + length <= rowLength);
    if (row === undefined) {
      row = { documents: [], tokens: 0 };
      rows.push(row);
    }
    row.documents.push(document);
    row.tokens += length;
  }
  return rows;
}
