import { historyRates, type RateName } from '../../../wire/messages/history-columns.ts';
import { type StepFigureName, stepFigures } from '../../../wire/messages/step-figures.ts';
import { loss, percent, rate, scientific, short } from '../format.ts';
import type { Curves } from '../history/curves.ts';
import { colourAt, coloursOf, dashOf, trainerColour } from './colours.ts';
import { type Line, smoothed } from './line.ts';
import { lineChart } from './line-chart.ts';
import type { ChartOptions } from './plot-options.ts';

/** A chart of a run's history. */
export interface RunChart {
  readonly element: HTMLElement;
  /** @param teachers in the order of the run, for their colours */
  show(curves: Curves, teachers: readonly string[]): void;
}

/** A chart with a value a point of the history. */
export function overSteps(
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
/** Of charts that show one figure. */
export const low = 150;

export const speedChart = (height = tall): RunChart =>
  overSteps(
    { title: historyRates.tokensPerSecond.name, format: rate, tick: short, fromZero: true, height },
    (curves, teachers) => [
      { name: 'trainer', colour: trainerColour, values: curves.tokensPerSecond },
      ...ofTeachers(curves, teachers, 'tokensPerSecond'),
    ],
  );

export const lossChart = (): RunChart =>
  overSteps(
    { title: stepFigures.loss.name, unit: stepFigures.loss.unit, format: loss, tick: decimals, height: tall },
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
        // Not the colours of the first teachers: a domain has no teacher.
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

/** Charts of one figure each. */
export const figureCharts = (): RunChart[] => [
  chartOf('gradientNorm', { format: loss, tick: decimals, fromZero: true }),
  chartOf('learningRate', { format: scientific, tick: exponent, fromZero: true }),
  chartOf('alignedShare', { format: (share) => percent(share, 1), tick: percent }),
];

export const waitChart = (): RunChart =>
  chartOf('waitShare', { format: percent, tick: percent, fromZero: true });

const declared: Readonly<
  Record<StepFigureName | RateName, { readonly name: string; readonly unit?: string }>
> = {
  ...stepFigures,
  ...historyRates,
};

function chartOf(
  column: StepFigureName | RateName,
  options: Pick<ChartOptions, 'format' | 'tick' | 'fromZero'>,
): RunChart {
  const { name, unit } = declared[column];
  return overSteps(
    { ...options, title: name, ...(unit !== undefined && { unit }), height: low },
    (curves) => [{ name: 'trainer', colour: trainerColour, values: curves[column] }],
  );
}

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

/** For an axis, with four digits at most. */
export const decimals = (value: number): string => String(Number(value.toPrecision(4)));

/** 0.0003 → "3e-4": an axis has little room. */
const exponent = (value: number): string =>
  value === 0 || Math.abs(value) >= 0.01 ? decimals(value) : value.toExponential().replace('e-', 'e−');
