import type { SkippedRow } from './read-texts.ts';

/** Counts the rows of texts, and parts of conversations, that were left out, by what is wrong with them. */
export class SkippedRows {
  readonly counts: Partial<Record<SkippedRow['problem'], number>>;
  #first: SkippedRow | undefined;

  /** @param counts to go on from */
  constructor(counts: SkippedRows['counts'] = {}) {
    this.counts = { ...counts };
  }

  add(row: SkippedRow): void {
    this.#first ??= row;
    this.counts[row.problem] = (this.counts[row.problem] ?? 0) + 1;
  }

  get count(): number {
    return Object.values(this.counts).reduce((sum, count) => sum + count, 0);
  }

  /** What is said of them: "3 rows or parts of them are left out: 2 null, 1 too long; the first is a.jsonl:7". */
  sentence(): string {
    const kinds = Object.entries(this.counts).map(([problem, count]) => `${count} ${problem}`);
    const { place, reason } = this.#first ?? {};
    const why = reason === undefined ? '' : ` (${reason})`;
    const first = place === undefined ? '' : `; the first is ${place}${why}`;
    return `${this.count} rows or parts of them are left out: ${kinds.join(', ')}${first}`;
  }
}
