import type { Interval } from '../statistics/interval.ts';
import { scaleFor } from './scale.ts';
import { colourOf, element, label, line, picture } from './svg.ts';

export interface Curve {
  readonly title: string;
  /** Under the axis. */
  readonly axis: string;
  /** By rising tokens. */
  readonly points: readonly { readonly tokens: number; readonly loss: Interval }[];
  readonly name: string;
  /** What the curve is compared with: a loss for a number of tokens. */
  readonly other: { readonly name: string; readonly tokens: number; readonly loss: Interval };
}

const width = 760;
const [left, right, top, bottom] = [64, width - 20, 60, 300];

/** Losses over tokens, which are drawn by their logarithm, and the level of another training. */
export function drawCurve({ title, axis, points, name, other }: Curve): string {
  const all = [...points, other];
  const ends = all.flatMap(({ loss: { mean, halfWidth = 0 } }) => [mean - halfWidth, mean + halfWidth]);
  const y = scaleFor(ends, [bottom, top]);
  const logarithms = all.map(({ tokens }) => Math.log(tokens));
  const [least, most] = [Math.min(...logarithms), Math.max(...logarithms)];
  const x = (tokens: number): number =>
    left + 24 + ((Math.log(tokens) - least) / (most - least || 1)) * (right - left - 48);
  const dot = (tokens: number, { mean, halfWidth = 0 }: Interval, colour: string, shift = 0): string =>
    line([x(tokens) + shift, y.at(mean - halfWidth)], [x(tokens) + shift, y.at(mean + halfWidth)], {
      stroke: colour,
      'stroke-width': 2,
    }) + element('circle', { cx: x(tokens) + shift, cy: y.at(mean), r: 4, fill: colour });
  const path = points.map(({ tokens, loss }) => `${x(tokens).toFixed(1)},${y.at(loss.mean).toFixed(1)}`);
  const [own, level] = [colourOf(0), colourOf(1)];
  return picture(title, { width, height: bottom + 48 }, [
    ...y.ticks.map(
      (tick) =>
        line([left, y.at(tick)], [right, y.at(tick)], { 'stroke-opacity': 0.25 }) +
        label(y.write(tick), { x: left - 6, y: y.at(tick) + 4, 'text-anchor': 'end' }),
    ),
    ...points.map(({ tokens }) =>
      label(tokens.toLocaleString('en-GB'), { x: x(tokens), y: bottom + 18, 'text-anchor': 'middle' }),
    ),
    label(axis, { x: (left + right) / 2, y: bottom + 38, 'text-anchor': 'middle' }),
    line([left, y.at(other.loss.mean)], [right, y.at(other.loss.mean)], {
      stroke: level,
      'stroke-dasharray': '6 4',
    }),
    dot(other.tokens, other.loss, level, 6),
    element('polyline', { points: path.join(' '), fill: 'none', stroke: own, 'stroke-width': 2 }),
    ...points.map(({ tokens, loss }) => dot(tokens, loss, own)),
    ...[name, other.name].map((each, i) => {
      const at = left + i * 260;
      return (
        element('rect', { x: at, y: 32, width: 11, height: 11, fill: colourOf(i) }) +
        label(each, { x: at + 16, y: 42 })
      );
    }),
  ]);
}
