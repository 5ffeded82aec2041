/** A line of a chart. */
export interface Line {
  readonly name: string;
  /** A CSS variable. */
  readonly colour: string;
  /** One value a step; null, NaN and infinite ones are gaps. */
  readonly values: readonly (number | null)[];
  readonly dash?: readonly number[] | undefined;
  /** Thinner and behind the others. */
  readonly quiet?: boolean;
}

const present = (value: number | null | undefined): value is number =>
  typeof value === 'number' && Number.isFinite(value);

/** A line's last value; undefined where it has none. */
export const lastOf = ({ values }: Pick<Line, 'values'>): number | undefined => values.findLast(present);

/** Gaps as a chart needs them. */
export const withGaps = ({ values }: Pick<Line, 'values'>): (number | null)[] =>
  values.map((value) => (present(value) ? value : null));

/** How many independent points a smoothed line shows. */
const pointsLeft = 40;

/** Each value as the mean of a fortieth of the line around it; gaps do not count. */
export function smoothed(values: readonly (number | null)[]): (number | null)[] {
  const reach = Math.floor(values.length / pointsLeft / 2);
  return values.map((_, i) => {
    const near = values.slice(Math.max(0, i - reach), i + reach + 1).filter(present);
    return near.length === 0 ? null : near.reduce((sum, value) => sum + value, 0) / near.length;
  });
}

/** What a chart shows, in words, for those who do not see it. */
export function summaryOf(
  title: string,
  steps: readonly number[],
  lines: readonly Line[],
  format: (value: number) => string,
): string {
  const texts = lines.flatMap(({ name, values }) => {
    const first = values.find(present);
    const last = values.findLast(present);
    if (first === undefined || last === undefined) return [];
    return first === last ? `${name} ${format(last)}` : `${name} from ${format(first)} to ${format(last)}`;
  });
  if (texts.length === 0) return `${title}: nothing yet`;
  return `${title}, steps ${steps[0]} to ${steps.at(-1)}: ${texts.join(', ')}`;
}
