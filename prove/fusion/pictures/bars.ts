import type { Interval } from '../statistics/interval.ts';
import { scaleFor } from './scale.ts';
import { colourOf, element, ink, label, line, picture } from './svg.ts';

export interface Bars {
  readonly title: string;
  readonly groups: readonly string[];
  /** A bar in each group. */
  readonly series: readonly { readonly name: string; readonly values: readonly Interval[] }[];
}

const width = 760;
const [left, right, top, bottom] = [56, width - 12, 40, 300];
const legendColumns = 4;
const legendLine = 20;

/** Bars from 0, side by side in groups, each with its interval. */
export function drawBars({ title, groups, series }: Bars): string {
  const ends = series.flatMap(({ values }) => values.flatMap(endsOf));
  const scale = scaleFor([0, ...ends], [bottom, top]);
  const groupWidth = (right - left) / groups.length;
  const barWidth = (0.84 * groupWidth) / series.length;
  const bar = (s: number, g: number): string => {
    const value = series[s].values[g];
    const x = left + (g + 0.08) * groupWidth + s * barWidth;
    const [y, zero] = [scale.at(value.mean), scale.at(0)];
    return [
      element('rect', {
        x: x + 1,
        y: Math.min(y, zero),
        width: barWidth - 2,
        height: Math.abs(zero - y),
        fill: colourOf(s),
        'fill-opacity': 0.75,
      }),
      whisker(endsOf(value).map(scale.at), x + barWidth / 2),
    ].join('');
  };
  const legend = series.map(({ name }, s) => {
    const x = left + (s % legendColumns) * ((right - left) / legendColumns);
    const y = bottom + 44 + Math.floor(s / legendColumns) * legendLine;
    return (
      element('rect', { x, y: y - 10, width: 11, height: 11, fill: colourOf(s), 'fill-opacity': 0.75 }) +
      label(name, { x: x + 16, y })
    );
  });
  const height = bottom + 40 + Math.ceil(series.length / legendColumns) * legendLine;
  return picture(title, { width, height }, [
    ...scale.ticks.map(
      (tick) =>
        line([left, scale.at(tick)], [right, scale.at(tick)], { 'stroke-opacity': tick === 0 ? 1 : 0.25 }) +
        label(scale.write(tick), { x: left - 6, y: scale.at(tick) + 4, 'text-anchor': 'end' }),
    ),
    ...groups.flatMap((name, g) => [
      ...series.map((_, s) => bar(s, g)),
      label(name, { x: left + (g + 0.5) * groupWidth, y: bottom + 20, 'text-anchor': 'middle' }),
    ]),
    ...legend,
  ]);
}

const endsOf = ({ mean, halfWidth = 0 }: Interval): number[] => [mean - halfWidth, mean + halfWidth];

function whisker([from, to]: readonly number[], x: number): string {
  if (from === to) return '';
  const cap = (y: number) => line([x - 3, y], [x + 3, y], { stroke: ink });
  return line([x, from], [x, to], { stroke: ink }) + cap(from) + cap(to);
}
