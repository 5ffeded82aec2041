import uPlot from 'uplot';
import { short } from '../format.ts';
import { cssValue } from './colours.ts';
import type { Line } from './line.ts';

/** What a chart shows, and how. */
export interface ChartOptions {
  readonly title: string;
  /** Stands behind the title. */
  readonly unit?: string;
  /** Of values in the legend. */
  readonly format: (value: number | null | undefined) => string;
  /** Of values at the axis. */
  readonly tick: (value: number) => string;
  /** The axis begins at 0. */
  readonly fromZero?: boolean;
  /** In pixels. */
  readonly height: number;
  /** Marks each value, where there are few. */
  readonly dots?: boolean;
}

const font = '11px system-ui, sans-serif';

/** uPlot's options for lines in the page's theme. Colours are looked up at every drawing, since the theme may change. */
export function plotOptions(
  { height, tick, fromZero = false, dots = false }: ChartOptions,
  lines: readonly Line[],
  width: number,
  onCursor: () => void,
): uPlot.Options {
  const axis = { font, stroke: () => cssValue('--quiet'), ticks: { show: false } };
  const grid = { stroke: () => cssValue('--grid'), width: 1 };
  return {
    width,
    height,
    padding: [8, 10, 0, 0],
    legend: { show: false },
    // All charts of a page show the same step.
    cursor: { sync: { key: 'steps', scales: ['x', null] }, y: false, drag: { setScale: false, x: false } },
    scales: {
      x: { time: false },
      y: { range: (_, low, high) => (fromZero ? fromZeroTo(high) : around(low, high)) },
    },
    axes: [
      {
        ...axis,
        grid: { show: false },
        size: 24,
        gap: 6,
        space: 60,
        values: (_, steps) => steps.map(wholeStep),
      },
      {
        ...axis,
        grid,
        size: 46,
        gap: 6,
        space: 34,
        values: (_, values) => values.map((value) => tick(value)),
      },
    ],
    series: [
      {},
      ...lines.map(({ name, colour, dash, quiet = false }) => ({
        label: name,
        stroke: () => cssValue(colour),
        width: quiet ? 1 : 1.75,
        points: dots ? { show: true, size: 6, fill: () => cssValue(colour) } : { size: 5, show: isAlone },
        ...(dash && { dash: [...dash] }),
        spanGaps: dots,
      })),
    ],
    hooks: { setCursor: [onCursor] },
  };
}

/** A line with one value would not be seen without its point. */
const isAlone = ({ data }: uPlot): boolean => data[0].length === 1;

/** Only whole steps get a label. */
const wholeStep = (step: number): string => (Number.isInteger(step) ? short(step) : '');

const fromZeroTo = (high: number | null): uPlot.Range.MinMax =>
  uPlot.rangeNum(0, high === null || high <= 0 ? 1 : high, { min: { pad: 0 }, max: { pad: 0.08, soft: 0 } });

const around = (low: number | null, high: number | null): uPlot.Range.MinMax =>
  low === null || high === null ? [0, 1] : uPlot.rangeNum(low, high, 0.08, false);
