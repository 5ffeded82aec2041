import { z } from 'zod';
import { byName } from '../../../wire/messages/by-name.ts';
import { type FigureValues, figureNames, figuresOf } from '../../../wire/messages/figure-values.ts';
import { type Aggregation, stepFigures } from '../../../wire/messages/step-figures.ts';
import { addedSums, type RolloutSums, rolloutSumsSchema } from '../rollouts/rollout-sums.ts';

const bySource = z.record(z.string(), z.number());
/** A file written before a figure was declared lacks it: then it is NaN, a gap in its curve. */
const figure = z
  .number()
  .nullish()
  .transform((value) => value ?? Number.NaN);

/** What the curves of a run keep of one step, or of several consecutive steps merged. */
export const historyPointSchema = z.object({
  /** The last one. */
  step: z.number(),
  /** When it ended, in seconds since 1970. */
  time: z.number(),
  /** How many. */
  steps: z.number(),
  tokens: z.number(),
  /** Wall time, the wait for documents included. */
  seconds: z.number(),
  waitSeconds: z.number(),
  ...byName(figureNames, () => figure),
  /** Documents that each source taught. */
  chosen: bySource,
  /** By source: documents that were joined without it. */
  without: bySource.default({}),
  /** Tokens that each source scored per second, as it said itself. */
  tokensPerSecond: bySource,
  /** What the target wrote itself; left out where it wrote nothing. */
  rollouts: rolloutSumsSchema.optional(),
});

export type HistoryPoint = Readonly<z.infer<typeof historyPointSchema>>;

/** The part of a StepReport that its point keeps. */
interface ReportedStep extends FigureValues {
  readonly step: number;
  readonly stepTokens: number;
  readonly seconds: number;
  readonly time: { readonly wait: number };
  /** Names of the sources that taught, one a document that one taught. */
  readonly chosen: readonly string[];
  /** By source: documents that were joined without it. */
  readonly without: Readonly<Record<string, readonly number[]>>;
  readonly rollouts: RolloutSums | undefined;
}

/**
 * The point of one step that has just ended.
 *
 * @param tokensPerSecond by source, as it says itself
 */
export function historyPoint(
  report: ReportedStep,
  tokensPerSecond: Readonly<Record<string, number>>,
): HistoryPoint {
  const chosen: Record<string, number> = {};
  for (const name of report.chosen) chosen[name] = (chosen[name] ?? 0) + 1;
  return {
    step: report.step,
    seconds: report.seconds,
    ...figuresOf(report),
    time: Date.now() / 1000,
    steps: 1,
    tokens: report.stepTokens,
    waitSeconds: report.time.wait,
    chosen,
    tokensPerSecond,
    without: Object.fromEntries(
      Object.entries(report.without).map(([name, documents]) => [name, documents.length]),
    ),
    ...(report.rollouts && { rollouts: rolloutSumsSchema.parse(report.rollouts) }),
  };
}

type NumberName = Exclude<keyof HistoryPoint, 'chosen' | 'without' | 'tokensPerSecond' | 'rollouts'>;

/** How the numbers of two points become those of one. */
const aggregations: Readonly<Record<NumberName, Aggregation>> = {
  step: 'last',
  time: 'last',
  steps: 'sum',
  tokens: 'sum',
  seconds: 'sum',
  waitSeconds: 'sum',
  ...byName(figureNames, (name) => stepFigures[name].over),
};
const numberNames = Object.keys(aggregations) as NumberName[];

/** Two consecutive points as one. */
export function merged(first: HistoryPoint, second: HistoryPoint): HistoryPoint {
  const steps = first.steps + second.steps;
  const combine: Readonly<Record<Aggregation, (a: number | undefined, b: number | undefined) => number>> = {
    mean: (a = 0, b = 0) => (a * first.steps + b * second.steps) / steps,
    sum: (a = 0, b = 0) => a + b,
    last: (_, b = 0) => b,
  };
  return {
    ...byName(numberNames, (name) => combine[aggregations[name]](first[name], second[name])),
    chosen: eachOf(first.chosen, second.chosen, combine.sum),
    without: eachOf(first.without, second.without, combine.sum),
    tokensPerSecond: eachOf(first.tokensPerSecond, second.tokensPerSecond, combine.mean),
    ...rolloutsOf(first, second),
  };
}

const rolloutsOf = (
  { rollouts: first }: HistoryPoint,
  { rollouts: second }: HistoryPoint,
): Pick<HistoryPoint, 'rollouts'> => {
  const rollouts = first && second ? addedSums(first, second) : (first ?? second);
  return rollouts === undefined ? {} : { rollouts };
};

const eachOf = (
  first: Readonly<Record<string, number>>,
  second: Readonly<Record<string, number>>,
  combine: (a: number | undefined, b: number | undefined) => number,
): Record<string, number> =>
  byName([...new Set([...Object.keys(first), ...Object.keys(second)])], (name) =>
    combine(first[name], second[name]),
  );
