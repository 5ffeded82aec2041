/** One measured figure. A ratio is of `value` to `baseline`, both measured in the same run. */
export interface Figure {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  readonly baseline?: number;
  readonly ratio?: number;
}

/** A value with its baseline and the ratio of both, or the value alone where there is no baseline. */
export const against = (
  value: number,
  baseline: number | undefined,
): Pick<Figure, 'value' | 'baseline' | 'ratio'> =>
  baseline === undefined ? { value } : { value, baseline, ratio: value / baseline };

/** Prints figures as a table, or with --json as one JSON object. */
export function report(name: string, figures: readonly Figure[]): void {
  if (process.argv.includes('--json')) {
    console.log(JSON.stringify({ name, figures }));
    return;
  }
  const rows = figures.map((figure) => [
    figure.name,
    digits(figure.value),
    figure.unit,
    figure.baseline === undefined ? '' : digits(figure.baseline),
    figure.ratio === undefined ? '' : figure.ratio.toFixed(2),
  ]);
  const table = [['figure', 'value', 'unit', 'baseline', 'ratio'], ...rows];
  const widths = table[0].map((_, column) => Math.max(...table.map((row) => row[column].length)));
  for (const row of table) {
    const cells = row.map((cell, column) =>
      column === 0 || column === 2 ? cell.padEnd(widths[column]) : cell.padStart(widths[column]),
    );
    console.log(cells.join('  ').trimEnd());
  }
}

const digits = (value: number): string => (Math.abs(value) >= 100 ? value.toFixed(0) : value.toPrecision(3));

/**
 * The shortest of several wall times of a task, in seconds: other work of the machine can only lengthen a time.
 */
export async function shortestSeconds(times: number, task: () => Promise<unknown>): Promise<number> {
  let shortest = Number.POSITIVE_INFINITY;
  for (let i = 0; i < times; i++) {
    const started = performance.now();
    await task();
    shortest = Math.min(shortest, (performance.now() - started) / 1000);
  }
  return shortest;
}
