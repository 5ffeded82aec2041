import { grouped, loss, percent, rate, short } from '../format.ts';
import type { RolloutColumn } from '../history/rollout-curves.ts';
import { trainerColour } from './colours.ts';
import { smoothed } from './line.ts';
import type { ChartOptions } from './plot-options.ts';
import { decimals, low, overSteps, type RunChart } from './run-charts.ts';

/** Charts of what the target wrote itself, a figure each. */
export const rolloutCharts = (): RunChart[] => [
  chartOf('divergence', { title: 'KL to the judge', unit: 'nats a token', format: loss, tick: decimals }),
  chartOf('length', {
    title: 'Completion length',
    unit: 'tokens',
    format: (length) => grouped(length),
    tick: short,
    fromZero: true,
  }),
  chartOf('endedByLengthShare', { ...share, title: 'Ended by length', unit: 'share, smoothed' }),
  chartOf('staleness', {
    title: 'Staleness',
    unit: 'steps',
    format: (steps) => grouped(steps, 1),
    tick: decimals,
    fromZero: true,
  }),
  chartOf('repeatedShare', { ...share, title: 'Repeats', unit: 'share of four tokens, smoothed' }),
  chartOf('tokensPerSecond', {
    title: 'Rollout tokens per second',
    format: rate,
    tick: short,
    fromZero: true,
  }),
];

const share = {
  format: (value: Parameters<typeof percent>[0]) => percent(value, 1),
  tick: percent,
  fromZero: true,
};

const chartOf = (column: RolloutColumn, options: Omit<ChartOptions, 'height'>): RunChart =>
  overSteps({ ...options, height: low }, ({ rollouts, step }) => {
    const values = rollouts?.[column] ?? step.map(() => null);
    // A step has few completions, so shares of them jump.
    const isShare = options.format === share.format;
    return [{ name: 'target', colour: trainerColour, values: isShare ? smoothed(values) : values }];
  });
