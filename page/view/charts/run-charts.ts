import { loss, percent, rate, scientific, short } from '../format.ts';
import type { Curves } from '../history/curves.ts';
import type { ChartOptions } from './chart-options.ts';
import { colourAt, coloursOf, dashOf, trainerColour } from './colours.ts';
import { lineChart } from './line-chart.ts';
import { smoothed } from './smoothed.ts';
import type { Line } from './summary.ts';

/** A chart of a run's history. */
export interface RunChart {
  readonly element: HTMLElement;
  /** @param teachers in the order of the run, for their colours */
  show(curves: Curves, teachers: readonly string[]): void;
}

function overSteps(
  options: ChartOptions,
  linesOf: (curves: Curves, teachers: readonly string[]) => Line[],
): RunChart {
  const chart = lineChart(options);
  return {
    element: chart.element,
    show: (curves, teachers) => chart.show(curves.step, linesOf(curves, teachers)),
  };
}

const tall = 240;
const low = 150;

export const speedChart = (height = tall): RunChart =>
  overSteps(
    { title: 'Tokens per second', format: rate, tick: short, fromZero: true, height },
    (curves, teachers) => [
      { name: 'trainer', colour: trainerColour, values: curves.tokensPerSecond },
      ...ofTeachers(curves, teachers, 'tokensPerSecond'),
    ],
  );

export const lossChart = (): RunChart =>
  overSteps(
    { title: 'Loss', unit: 'nats a token', format: loss, tick: decimals, height: tall },
    ({ loss: total, causalLoss, fusionLoss }) => [
      { name: 'total', colour: trainerColour, values: total },
      { name: 'causal', colour: colourAt(5), values: causalLoss, quiet: true },
      { name: 'fusion', colour: colourAt(4), values: fusionLoss, quiet: true },
    ],
  );

export function heldOutChart(): RunChart {
  const chart = lineChart({
    title: 'Held-out texts',
    unit: 'bits per byte',
    format: loss,
    tick: decimals,
    height: tall,
    dots: true,
  });
  return {
    element: chart.element,
    show({ heldOut }) {
      const domains = [...new Set(heldOut.flatMap(({ bitsPerByte }) => Object.keys(bitsPerByte)))].sort();
      const lines = domains.map((name, i) => ({
        name,
        // Behind those of the first teachers, which domains have nothing to do with.
        colour: colourAt(i + 3),
        dash: dashOf(i),
        values: heldOut.map(({ bitsPerByte }) => bitsPerByte[name] ?? null),
      }));
      chart.show(
        heldOut.map(({ step }) => step),
        lines,
      );
    },
  };
}

export const chosenChart = (): RunChart =>
  overSteps(
    {
      title: 'Documents taught',
      unit: 'share, smoothed',
      format: percent,
      tick: percent,
      fromZero: true,
      height: low,
    },
    (curves, teachers) =>
      ofTeachers(curves, teachers, 'chosenShare').map((line) => ({ ...line, values: smoothed(line.values) })),
  );

export const gradientChart = (): RunChart =>
  single(
    { title: 'Gradient norm', format: loss, tick: decimals, fromZero: true, height: low },
    'gradientNorm',
  );

export const learningRateChart = (): RunChart =>
  single(
    { title: 'Learning rate', format: scientific, tick: exponent, fromZero: true, height: low },
    'learningRate',
  );

export const alignedChart = (): RunChart =>
  single(
    {
      title: 'Positions taught',
      unit: 'share',
      format: (share) => percent(share, 1),
      tick: percent,
      height: low,
    },
    'alignedShare',
  );

export const waitChart = (): RunChart =>
  single(
    {
      title: 'Waiting for documents',
      unit: 'share',
      format: percent,
      tick: percent,
      fromZero: true,
      height: low,
    },
    'waitShare',
  );

const single = (
  options: ChartOptions,
  column: 'gradientNorm' | 'learningRate' | 'alignedShare' | 'waitShare',
): RunChart =>
  overSteps(options, (curves) => [{ name: 'trainer', colour: trainerColour, values: curves[column] }]);

function ofTeachers(
  { sources }: Curves,
  teachers: readonly string[],
  column: 'tokensPerSecond' | 'chosenShare',
): Line[] {
  const colourOf = coloursOf(teachers);
  return sources
    .toSorted((a, b) => teachers.indexOf(a.teacher) - teachers.indexOf(b.teacher))
    .map((source) => ({
      name: source.teacher,
      colour: colourOf(source.teacher),
      dash: dashOf(teachers.indexOf(source.teacher)),
      values: source[column],
      quiet: true,
    }));
}

const decimals = (value: number): string => String(Number(value.toPrecision(4)));

/** 0.0003 → "3e-4": an axis has little room. */
const exponent = (value: number): string =>
  value === 0 || Math.abs(value) >= 0.01 ? decimals(value) : value.toExponential().replace('e-', 'e−');
