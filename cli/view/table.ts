/** A column's head, and which way its cells lean: numbers to the right. */
export interface Column {
  readonly head: string;
  readonly isNumber?: true;
}

/** The lines of a table; columns are as wide as what is in them. */
export function tableLines(columns: readonly Column[], rows: readonly (readonly string[])[]): string[] {
  const all = [columns.map(({ head }) => head), ...rows];
  const widths = columns.map((_, i) => Math.max(...all.map((cells) => cells[i].length)));
  return all.map((cells) =>
    cells
      .map((cell, i) => (columns[i].isNumber ? cell.padStart(widths[i]) : cell.padEnd(widths[i])))
      .join('  ')
      .trimEnd(),
  );
}
