/** Of so many points a smoothed line shows one. */
const pointsLeft = 40;

/** The mean of each value and its neighbours: of a fortieth of the line, and without what is no number. */
export function smoothed(values: readonly (number | null)[]): (number | null)[] {
  const reach = Math.floor(values.length / pointsLeft / 2);
  return values.map((_, i) => {
    const near = values
      .slice(Math.max(0, i - reach), i + reach + 1)
      .filter((value): value is number => value !== null && Number.isFinite(value));
    return near.length === 0 ? null : near.reduce((sum, value) => sum + value, 0) / near.length;
  });
}
