const marks = '▁▂▃▄▅▆▇█';

/**
 * A curve in one line of characters, from the first value to the last; NaN and infinite values are left out.
 *
 * @param cells most characters; where there are more values, each stands for the mean of some
 */
export function sparkline(values: readonly number[], cells: number): string {
  const points = means(values.filter(Number.isFinite), cells);
  const least = Math.min(...points);
  const span = Math.max(...points) - least;
  const level = (value: number) =>
    span === 0 ? 0 : Math.round(((value - least) / span) * (marks.length - 1));
  return points.map((value) => marks[level(value)]).join('');
}

function means(values: readonly number[], cells: number): number[] {
  if (values.length <= cells) return [...values];
  return Array.from({ length: cells }, (_, cell) => {
    const part = values.slice(
      Math.floor((cell * values.length) / cells),
      Math.floor(((cell + 1) * values.length) / cells),
    );
    return part.reduce((sum, value) => sum + value, 0) / part.length;
  });
}
