/** An axis: from values to pixels, with round values to mark. */
export interface Scale {
  at(value: number): number;
  readonly ticks: readonly number[];
  /** Writes a value like the ticks, with as many digits as they need. */
  write(value: number): string;
}

/**
 * An axis that holds all values.
 *
 * @param pixels positions of the least and the greatest value
 */
export function scaleFor(
  values: readonly number[],
  [from, to]: readonly [number, number],
  ticksWanted = 5,
): Scale {
  const [least, most] = [Math.min(...values), Math.max(...values)];
  const step = roundStep((most - least || 1) / ticksWanted);
  const first = Math.floor(least / step + 1e-9);
  const last = Math.ceil(most / step - 1e-9);
  const [low, high] = [first * step, Math.max(last, first + 1) * step];
  const digits = Math.max(0, -Math.floor(Math.log10(step) + 1e-9));
  return {
    at: (value) => from + ((value - low) / (high - low)) * (to - from),
    ticks: Array.from({ length: Math.max(last, first + 1) - first + 1 }, (_, i) => (first + i) * step),
    write: (value) =>
      value
        .toFixed(digits)
        .replace(/^-(0(?:\.0+)?)$/, '$1')
        .replace('-', '−'),
  };
}

/** The next of 1, 2, 5, 10, … times a power of ten. */
function roundStep(step: number): number {
  const power = 10 ** Math.floor(Math.log10(step));
  return power * ([1, 2, 5, 10].find((round) => round * power >= step * (1 - 1e-9)) ?? 10);
}
