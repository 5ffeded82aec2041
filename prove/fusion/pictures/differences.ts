import { excludesZero, type Interval } from '../statistics/interval.ts';
import { scaleFor } from './scale.ts';
import { colourOf, element, ink, label, line, picture } from './svg.ts';

export interface Differences {
  readonly title: string;
  /** Under the axis: what is on either side of 0. */
  readonly axis: string;
  readonly rows: readonly { readonly name: string; readonly difference: Interval }[];
}

const width = 760;
const [left, right, top] = [210, width - 20, 40];
const rowHeight = 20;

/** One row for each difference, with its interval; grey where the interval holds 0. */
export function drawDifferences({ title, axis, rows }: Differences): string {
  const bottom = top + rows.length * rowHeight;
  const ends = rows.flatMap(({ difference: { mean, halfWidth = 0 } }) => [
    mean - halfWidth,
    mean + halfWidth,
  ]);
  const scale = scaleFor([0, ...ends], [left, right], 6);
  return picture(title, { width, height: bottom + 48 }, [
    ...scale.ticks.map(
      (tick) =>
        line([scale.at(tick), top - 6], [scale.at(tick), bottom], {
          'stroke-opacity': tick === 0 ? 1 : 0.25,
        }) + label(scale.write(tick), { x: scale.at(tick), y: bottom + 16, 'text-anchor': 'middle' }),
    ),
    label(axis, { x: (left + right) / 2, y: bottom + 38, 'text-anchor': 'middle' }),
    ...rows.map(({ name, difference }, i) => {
      const y = top + (i + 0.5) * rowHeight;
      const { mean, halfWidth = 0 } = difference;
      const clear = excludesZero(difference) ?? false;
      const colour = clear ? colourOf(mean < 0 ? 2 : 1) : ink;
      return [
        label(name, { x: left - 12, y: y + 4, 'text-anchor': 'end' }),
        line([scale.at(mean - halfWidth), y], [scale.at(mean + halfWidth), y], {
          stroke: colour,
          'stroke-width': 2,
        }),
        element('circle', { cx: scale.at(mean), cy: y, r: 4, fill: colour }),
      ].join('');
    }),
  ]);
}
